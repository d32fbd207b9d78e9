# The program's own images, all from one bundle.
#   platform  what the operator runs. Its steps write repositories, so it holds Git and an SSH client; those need a shell's
#             worth of libraries, which is why it is Debian's slim variant, without package managers of Node. Terraform is
#             beside them, with the providers of our modules, so that no run downloads any.
#   starter   what a new service runs until its pipeline has pushed an image: distroless, nothing but Node.
# Both run as user 65532 on a read-only root file system; only /tmp is written to (mount an emptyDir there).

# The bundle is the same everywhere: built once, on the machine's own kind.
FROM --platform=$BUILDPLATFORM node:24.21.0-bookworm AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.js

FROM node:24.21.0-bookworm AS terraform
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ARG TARGETARCH
# The sums are those of HashiCorp's own Homebrew formula.
ENV TERRAFORM_VERSION=1.11.4
RUN case "$TARGETARCH" in \
    amd64) sum=1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc ;; \
    arm64) sum=a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633 ;; \
    *) echo "no checksum of Terraform for $TARGETARCH" >&2; exit 1 ;; \
  esac \
  && archive="terraform_${TERRAFORM_VERSION}_linux_${TARGETARCH}.zip" \
  && curl -fsSLo /tmp/terraform.zip "https://releases.hashicorp.com/terraform/${TERRAFORM_VERSION}/${archive}" \
  && echo "$sum  /tmp/terraform.zip" | sha256sum --check --strict \
  && unzip -q /tmp/terraform.zip terraform -d /usr/local/bin \
  && rm /tmp/terraform.zip
# Where Terraform looks before any registry. Versions are the modules' own; signatures are checked against the registry's keys.
COPY terraform/modules /modules
RUN for module in /modules/*; do \
    terraform -chdir="$module" providers mirror -platform="linux_$TARGETARCH" /usr/share/terraform/plugins || exit 1; \
  done

FROM gcr.io/distroless/nodejs24-debian12:nonroot AS starter
WORKDIR /platform
ENV NODE_ENV=production
COPY --from=build /src/package.json /src/README.md /src/LICENSE ./
COPY --from=build /src/bin ./bin
COPY --from=build /src/dist ./dist
COPY --from=build /src/templates ./templates
COPY --from=build /src/terraform ./terraform
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/nodejs/bin/node", "/platform/bin/platform.js"]
CMD ["starter"]

FROM node:24.21.0-bookworm-slim AS platform
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Upstream versions are pinned, Debian's security revisions of them are taken.
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    git=1:2.39.5-* openssh-client=1:9.2p1-* ca-certificates \
  && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /opt/yarn-* \
    /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  # SSH refuses a user without a name.
  && groupadd --gid 65532 nonroot \
  && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin nonroot
WORKDIR /platform
ENV NODE_ENV=production HOME=/tmp TMPDIR=/tmp PLATFORM_STATE_DIR=/tmp/platform CHECKPOINT_DISABLE=1
COPY --from=terraform /usr/local/bin/terraform /usr/local/bin/terraform
COPY --from=terraform /usr/share/terraform /usr/share/terraform
COPY --from=build /src/package.json /src/README.md /src/LICENSE ./
COPY --from=build /src/bin ./bin
COPY --from=build /src/dist ./dist
COPY --from=build /src/templates ./templates
COPY --from=build /src/terraform ./terraform
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["node", "/platform/bin/platform.js"]
CMD ["operator", "--host", "0.0.0.0"]
