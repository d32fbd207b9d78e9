# The program's own image. As `platform starter` it is what a new service runs until its pipeline has pushed an image; it has
# no Git inside, so runs are executed elsewhere.
FROM node:24 AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY scripts ./scripts
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.js

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /platform
ENV NODE_ENV=production
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/bin ./bin
COPY --from=build /src/dist ./dist
COPY --from=build /src/templates ./templates
USER nonroot
EXPOSE 8080 9090
ENTRYPOINT ["/nodejs/bin/node", "/platform/bin/platform.js"]
CMD ["starter"]
