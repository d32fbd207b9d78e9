import { expect, test } from "vitest";
import { wholeSpec } from "../../../src/application/application.ts";
import { applicationObjects } from "../../../src/application/desired-objects.ts";
import { applicationOf } from "../../../src/application/from-request.ts";
import { serviceNameSchema } from "../../../src/application/names.ts";
import { refusedPods } from "../../../src/provisioning/namespaces/refused-pods.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({ images: { registries: ["gcr.io/company"] } });
const digest = `gcr.io/company/web@sha256:${"a".repeat(64)}`;
const secure = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

function pod(spec: object, status: object = { phase: "Running" }) {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "web-1" }, spec, status };
}

function reasons(container: object, spec: object = {}, tier = "standard"): readonly string[] {
  const containers = [{ name: "web", image: "gcr.io/company/web:1", securityContext: secure, ...container }];
  return refusedPods([pod({ containers, ...spec })], standards, tier).map(({ reason }) => reason);
}

test("a pod that keeps every rule is not refused, nor is one that has ended", () => {
  expect(reasons({})).toEqual([]);
  expect(reasons({ image: digest }, {}, "production")).toEqual([]);
  expect(reasons({ image: standards.cache.image }, {}, "production")).toEqual([]);
  const volumes = [{ name: "data", image: { reference: digest } }];
  expect(reasons({ image: digest }, { volumes }, "production")).toEqual([]);
  const containers = [{ name: "web", image: "busybox" }];
  expect(refusedPods([pod({ containers }, { phase: "Succeeded" })], standards, "standard")).toEqual([]);
});

test.each([
  ["the node's network", {}, { hostNetwork: true }, /shares the node's network/],
  [
    "a path of the node",
    {},
    { volumes: [{ name: "host", hostPath: { path: "/" } }] },
    /volume host is of a kind/,
  ],
  ["a port of the node", { ports: [{ hostPort: 80 }] }, {}, /takes a port of the node/],
  ["privilege", { securityContext: { ...secure, privileged: true } }, {}, /is privileged/],
  ["no word on escalation", { securityContext: {} }, {}, /does not rule out privilege escalation/],
  [
    "a capability",
    { securityContext: { ...secure, capabilities: { drop: ["ALL"], add: ["SYS_ADMIN"] } } },
    {},
    /adds capability SYS_ADMIN/,
  ],
  ["root", { securityContext: { ...secure, runAsUser: 0 } }, {}, /runs as root/],
  ["no seccomp", { securityContext: { ...secure, seccompProfile: undefined } }, {}, /no seccomp profile/],
  ["another registry", { image: "gcr.io/companyx/web:1" }, {}, /images come from gcr\.io\/company here/],
  ["latest", { image: "gcr.io/company/web:latest" }, {}, /has no tag, or latest/],
  ["no tag", { image: "gcr.io/company/web" }, {}, /has no tag, or latest/],
  [
    "another registry's image as a volume",
    {},
    { volumes: [{ name: "data", image: { reference: "gcr.io/companyx/data:1" } }] },
    /images come from gcr\.io\/company here/,
  ],
])("a pod with %s is named with the reason", (_, container, spec, reason) => {
  expect(reasons(container, spec)).toEqual([expect.stringMatching(reason)]);
  const initContainers = [
    { name: "first", image: "gcr.io/company/web:1", securityContext: secure, ...container },
  ];
  expect(reasons({}, { ...spec, initContainers })).toEqual([expect.stringMatching(reason)]);
});

test("where images are named by digest, a tag is not enough", () => {
  expect(reasons({}, {}, "production")).toEqual([expect.stringContaining("is not named by its digest")]);
});

test("what a service is made of is never refused", () => {
  const spec = wholeSpec(
    {
      image: "gcr.io/company/web:1",
      database: { type: "postgres" },
      cache: { type: "redis", version: "7.0" },
    },
    "platform",
  );
  const application = applicationOf(serviceNameSchema.parse("web"), spec);
  const pods = Object.values(applicationObjects(application, standards))
    .flat()
    .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet")
    .map(({ spec: workload }) => pod(Reflect.get(Reflect.get(Object(workload), "template"), "spec")));
  expect(pods).toHaveLength(3);
  expect(refusedPods(pods, standards, "standard")).toEqual([]);
});
