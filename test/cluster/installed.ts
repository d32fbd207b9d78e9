import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { find } from "../../src/cluster/find.ts";
import { resourceOf, resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { installationObjects, standardsObject } from "../../src/installation/objects.ts";
import { type Standards, standardsSchema } from "../../src/standards/standards.ts";

/** Of the groups of the contexts `developer` and `oncall`. */
export const decisions = {
  oncall: { groups: ["oncalls"] },
  images: {
    starter: "registry.example.internal/platform/starter:0.1.0",
    registries: ["registry.example.internal", "docker.io/library"],
  },
};

/** The platform with guardrails, and a team of the context `developer`; others' teams are kept. */
export async function installed(admin: Cluster, team: string): Promise<void> {
  const wanted = standardsSchema.parse({ ...decisions, teams: { [team]: { groups: ["team-payments"] } } });
  const { types, namespace } = installationObjects({ standards: wanted });
  for (const object of [...types, ...namespace]) await apply(admin, resourceOf(object), object);
  const kinds = [resources.standards, resources.guardrails, resources.runs, resources.applications];
  await until("the types are served", async () =>
    (await Promise.all(kinds.map((kind) => admin.serves(kind, { refresh: true })))).every(Boolean),
  );
  const standards = await decided(admin, wanted);
  const { rights, operator, guardrails } = installationObjects({ standards });
  for (const object of [...rights, ...operator, ...guardrails]) {
    await apply(admin, resourceOf(object), object);
  }
}

async function decided(admin: Cluster, wanted: Standards): Promise<Standards> {
  const there = await find(admin, resources.standards, { name: "platform" });
  const { teams, oncall, images } = wanted;
  const { spec } =
    there === undefined
      ? await admin.create(resources.standards, standardsObject(wanted))
      : await admin.patch(
          resources.standards,
          { name: "platform" },
          { type: "merge", body: { spec: { teams, oncall, images } } },
        );
  return standardsSchema.parse(spec);
}

const kubeconfigSchema = z.looseObject({
  users: z.array(z.looseObject({ name: z.string() })),
  contexts: z.array(z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string() }) })),
});

/** The same kubeconfig with the context `platform-operator`: the operator's ServiceAccount. */
export async function withOperator(kubeconfig: string): Promise<string> {
  const token = await promisify(execFile)("kubectl", [
    ...["--kubeconfig", kubeconfig, "--context", "admin", "--namespace", "platform-system"],
    ...["create", "token", "platform-operator", "--duration", "1h"],
  ]);
  const config = kubeconfigSchema.parse(parse(await readFile(kubeconfig, "utf8")));
  const name = "platform-operator";
  const [first] = config.contexts;
  return stringify({
    ...config,
    users: [...config.users, { name, user: { token: token.stdout.trim() } }],
    contexts: [...config.contexts, { name, context: { cluster: first?.context.cluster, user: name } }],
  });
}

/** Polls until it holds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await systemTiming.sleep(100);
  }
}
