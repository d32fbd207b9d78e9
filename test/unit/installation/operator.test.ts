import { expect, test } from "vitest";
import { z } from "zod";
import { commandTree } from "../../../src/commands/program.ts";
import { operatorObjects, systemPolicies } from "../../../src/installation/operator.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const deploymentSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([z.looseObject({ args: z.tuple([z.string()], z.string()) })]),
      }),
    }),
  }),
});

test("the operator is started with words that this program knows", () => {
  const standards = standardsSchema.parse({});
  const [deployment] = operatorObjects({ standards, image: "registry.example.internal/platform:1" });
  const [{ args }] = deploymentSchema.parse(deployment).spec.template.spec.containers;
  const [name, ...flags] = args;
  const command = commandTree((each) => each, "0").commands.find((each) => each.name() === name);
  const known = command?.options.map(({ long }) => long);
  for (const flag of flags.filter((word) => word.startsWith("--"))) expect(known).toContain(flag);
});

test.each([
  [undefined, [443, 6443]],
  ["https://git.example.com/services", [443, 6443]],
  ["ssh://git@git.example.com/services", [443, 6443, 22]],
  ["ssh://git@git.example.com:7999/services", [443, 6443, 7999]],
  ["https://git.example.com:8443/services", [443, 6443, 8443]],
])("with the code host %s the operator reaches ports %j, and nothing else outside", (host, ports) => {
  const standards = standardsSchema.parse({ delivery: host === undefined ? {} : { host } });
  const [denied, own] = systemPolicies(standards);
  expect(denied?.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  const { egress } = z
    .object({
      egress: z.array(z.object({ to: z.unknown().optional(), ports: z.array(z.object({ port: z.int() })) })),
    })
    .parse(own?.spec);
  const outside = egress
    .filter(({ to }) => to === undefined)
    .flatMap((rule) => rule.ports.map(({ port }) => port));
  expect(outside).toEqual(ports);
});

test("with data stores at Google the operator says which pod it is, has time to stop Terraform, and reaches credentials", () => {
  const google = {
    project: "acme-prod",
    network: "projects/acme-prod/global/networks/main",
    range: "10.20.0.0/16",
  };
  const standards = standardsSchema.parse({ google });
  const [deployment] = operatorObjects({ standards, image: "registry.example.internal/platform:1" });
  const pod = z
    .object({
      spec: z.object({
        template: z.object({
          spec: z.object({
            terminationGracePeriodSeconds: z.int(),
            containers: z.tuple([z.object({ env: z.array(z.looseObject({ name: z.string() })) })]),
          }),
        }),
      }),
    })
    .parse(deployment).spec.template.spec;
  // Terraform itself gets sixty.
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(60);
  const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } } });
  expect(pod.containers[0].env).toEqual(
    expect.arrayContaining([
      { name: "POD_NAME", ...field("metadata.name") },
      { name: "POD_NAMESPACE", ...field("metadata.namespace") },
      { name: "POD_UID", ...field("metadata.uid") },
    ]),
  );
  const metadataServer = '"cidr":"169.254.169.254/32"';
  expect(JSON.stringify(systemPolicies(standards))).toContain(metadataServer);
  expect(JSON.stringify(systemPolicies(standardsSchema.parse({})))).not.toContain(metadataServer);
});
