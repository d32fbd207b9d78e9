import { Document } from "yaml";
import type { Application } from "../application/application.ts";
import type { Language } from "../application/request.ts";
import type { Standards } from "../standards/standards.ts";
import type { RepositoryFile } from "./code-host.ts";

/** Where a repository's pipeline lives. */
export const pipelinePath = ".github/workflows/deploy.yaml";

/** A step of a GitHub Actions job. */
interface ActionStep {
  readonly name: string;
  readonly id?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Setting up and testing, by language. */
const tests: Readonly<Record<Language, readonly ActionStep[]>> = {
  go: [
    { name: "Set up Go", uses: "actions/setup-go@v6", with: { "go-version-file": "go.mod" } },
    { name: "Build", run: "go build ./..." },
    { name: "Test", run: "go vet ./... && go test -race ./..." },
  ],
  typescript: [
    { name: "Set up Node", uses: "actions/setup-node@v6", with: { "node-version": "24", cache: "npm" } },
    { name: "Install", run: "npm ci" },
    { name: "Build", run: "npm run build" },
    { name: "Test", run: "npm test" },
  ],
};

/**
 * The pipeline of a service: every commit on `main` is built, tested, scanned, pushed by digest and deployed. Built
 * as data; what a run of it brings (the digest) reaches commands through the environment, never through their text.
 */
export function pipelineFile(application: Application, standards: Standards): RepositoryFile {
  const { name } = application.metadata;
  const { team, language } = application.spec;
  const image = `${standards.images.repository}/${team}/${name}`;
  const [registry = ""] = standards.images.repository.split("/");
  const steps: readonly ActionStep[] = [
    { name: "Check out", uses: "actions/checkout@v5", with: { "persist-credentials": false } },
    ...tests[language],
    { name: "Set up image builds", uses: "docker/setup-buildx-action@v3" },
    {
      name: "Log in to the registry",
      uses: "docker/login-action@v3",
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: GitHub's own syntax
      with: {
        registry,
        username: "${{ secrets.REGISTRY_USERNAME }}",
        password: "${{ secrets.REGISTRY_PASSWORD }}",
      },
    },
    {
      name: "Build the image",
      uses: "docker/build-push-action@v6",
      with: { load: true, tags: `${image}:candidate` },
    },
    {
      name: "Scan the image",
      uses: "aquasecurity/trivy-action@0.33.1",
      with: {
        "image-ref": `${image}:candidate`,
        severity: "CRITICAL,HIGH",
        "ignore-unfixed": true,
        "exit-code": "1",
      },
    },
    {
      name: "Push by digest",
      id: "push",
      uses: "docker/build-push-action@v6",
      with: { outputs: `type=image,name=${image},push-by-digest=true,name-canonical=true,push=true` },
    },
    {
      name: "Deploy",
      run: `platform service deploy ${name} --image "$IMAGE" --commit "$GITHUB_SHA" --wait --yes`,
      env: { IMAGE: `${image}@\${{ steps.push.outputs.digest }}` },
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: GitHub's own syntax
    },
  ];
  const document = new Document(
    {
      name: "deploy",
      on: { push: { branches: ["main"] } },
      permissions: { contents: "read", "id-token": "write" },
      concurrency: { group: "deploy", "cancel-in-progress": false },
      jobs: { deploy: { "runs-on": "ubuntu-latest", "timeout-minutes": 30, steps } },
    },
    { aliasDuplicateObjects: false },
  );
  document.commentBefore =
    " Made by the platform. The job needs the secrets REGISTRY_USERNAME and REGISTRY_PASSWORD, and `platform` in the\n" +
    " runner's PATH with a login to the cluster that may deploy this service; no kubeconfig belongs in this repository.";
  return { path: pipelinePath, content: document.toString({ lineWidth: 0 }) };
}
