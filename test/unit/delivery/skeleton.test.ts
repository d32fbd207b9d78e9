import { describe, expect, it } from "vitest";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import type { Application } from "../../../src/application/application.ts";
import { serviceNameSchema } from "../../../src/application/names.ts";
import { languages } from "../../../src/application/request.ts";
import { manifestFiles } from "../../../src/delivery/manifests.ts";
import { pipelineFile } from "../../../src/delivery/pipeline.ts";
import { placeholder, skeletonFiles } from "../../../src/delivery/skeleton.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({});
const ledger = serviceNameSchema.parse("ledger");

const application = (over: Partial<Application["spec"]> = {}): Application => ({
  apiVersion: "platform.company.com/v1",
  kind: "Application",
  metadata: { name: "ledger", namespace: "app-ledger" },
  spec: {
    team: "payments",
    language: "go",
    replicas: 3,
    image: "registry.example/starter:1",
    starter: true,
    exposure: "internal",
    database: { type: "postgres" },
    cache: { type: "redis" },
    monitoring: { enabled: true, alerts: ["high-error-rate"] },
    ...over,
  },
});

describe.each(languages)("the %s skeleton", (language) => {
  it("is complete, and bears the service's name everywhere", async () => {
    const files = await skeletonFiles(language, ledger);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["Dockerfile", "README.md", ".gitignore", ".dockerignore"]));
    expect(paths.some((path) => path.includes("node_modules") || path.startsWith("dist/"))).toBe(false);
    expect(files.filter(({ content }) => content.includes(placeholder))).toEqual([]);
    expect(files.some(({ content }) => content.includes("ledger"))).toBe(true);
  });

  it("stays clear of the paths that the platform writes", async () => {
    const skeleton = (await skeletonFiles(language, ledger)).map(({ path }) => path);
    const written = [
      ...manifestFiles(application(), standards),
      pipelineFile(application({ language }), standards),
    ].map(({ path }) => path);
    expect(skeleton.filter((path) => written.includes(path))).toEqual([]);
  });

  it("has a pipeline that tests, scans, pushes by digest and deploys, in this order", () => {
    const pipeline = parseYaml(pipelineFile(application({ language }), standards).content);
    const names: string[] = pipeline.jobs.deploy.steps.map((step: { name: string }) => step.name);
    const order = ["Test", "Scan the image", "Push by digest", "Deploy"].map((name) => names.indexOf(name));
    expect(order.every((index) => index >= 0)).toBe(true);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    const deploy = pipeline.jobs.deploy.steps.at(-1);
    expect(deploy.run).toBe(
      'platform service deploy ledger --image "$IMAGE" --commit "$GITHUB_SHA" --wait --yes',
    );
    expect(deploy.env.IMAGE).toMatch(/^registry\.example\.internal\/payments\/ledger@\$\{\{/);
  });
});

it("a name that is no service's never becomes source", async () => {
  await expect(skeletonFiles("go", '"; rm -rf /' as typeof ledger)).rejects.toThrow();
});

describe("manifests in the repository", () => {
  it("hold every part of the service, and no Secret", () => {
    const files = manifestFiles(application(), standards);
    const objects = files.flatMap(({ content }) =>
      parseAllDocuments(content).map((document) => document.toJS()),
    );
    const kinds = new Set(objects.map(({ kind }) => kind));
    expect([...kinds]).toEqual(
      expect.arrayContaining(["Application", "Namespace", "StatefulSet", "ServiceMonitor", "Deployment"]),
    );
    expect(kinds.has("Secret")).toBe(false);
  });

  it("are the same bytes whatever the cluster has added to the Application", () => {
    const stored: Application = {
      ...application(),
      metadata: { ...application().metadata, uid: "u", resourceVersion: "7", managedFields: [] },
      status: { readyReplicas: 3 },
    };
    expect(manifestFiles(stored, standards)).toEqual(manifestFiles(application(), standards));
  });
});
