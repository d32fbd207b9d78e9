import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import type { Installation } from "../../provisioning/installation.ts";
import { served } from "../../provisioning/steps/served.ts";
import { standardsHash } from "../../standards/load.ts";
import type { Standards } from "../../standards/standards.ts";
import { changesOf, type ObjectChange } from "../look.ts";
import { versionLabel } from "../namespace.ts";
import { installationObjects } from "../objects.ts";
import { type Finding, fail, type Look, look, ok, warn } from "./finding.ts";
import { policyWarnings } from "./policy-warnings.ts";

const install = "platform install";

/** What `platform install` writes: whether it is there, and as this program would write it. */
export async function installationFindings(
  cluster: Cluster,
  { version, image }: Pick<Installation, "version" | "image">,
  standards: Standards,
): Promise<readonly Finding[]> {
  const objects = installationObjects({
    standards,
    ...(image === undefined ? {} : { image }),
    ...(version === undefined ? {} : { version }),
  });
  return Promise.all([
    look("platform", "types", async () => {
      const served = await Promise.all(
        [resources.applications, resources.runs, resources.standards, resources.guardrails].map((type) =>
          cluster.serves(type, {}),
        ),
      );
      if (served.includes(false)) return fail("not all resource types are served", install);
      const told = `${objects.types.length} resource types served`;
      try {
        return drift(told, await changesOf(cluster, "types", objects.types));
      } catch (error) {
        // Who may not read definitions still sees that they are served.
        if (isClusterError(error, "forbidden")) return ok(told);
        throw error;
      }
    }),
    look("platform", "namespace", async () => {
      const namespace = await find(cluster, resources.namespaces, { name: systemNamespace });
      if (namespace === undefined) return fail(`${systemNamespace} is not there`, install);
      const installed = namespace.metadata.labels?.[versionLabel];
      if (installed === undefined || installed === version) {
        return ok(
          `${systemNamespace}${installed === undefined ? "" : `, installed by version ${installed}`}`,
        );
      }
      return warn(`installed by version ${installed}, this program is ${version}`, install);
    }),
    look("platform", "rights", async () =>
      drift(
        `${objects.rights.length} roles and bindings`,
        await changesOf(cluster, "rights", objects.rights),
      ),
    ),
    ...(cluster.simulated ? [] : [operatorManifests(cluster, objects.operator)]),
    look("platform", "guardrails", () => guardrails(cluster, objects.guardrails)),
  ]);
}

/** The standards of the cluster. */
export function standardsFinding(standards: Standards): Finding {
  const teams = Object.keys(standards.teams).length;
  const text = `valid, of ${standards.organization}, ${teams} ${teams === 1 ? "team" : "teams"}, ${standardsHash(standards)}`;
  return { area: "platform", name: "standards", state: "ok", text };
}

/** The sandbox has none: whoever asks executes there. */
function operatorManifests(cluster: Cluster, desired: readonly KubeObject[]): Promise<Finding> {
  return look("platform", "manifests", async () => {
    const { objects } = await served(cluster, desired);
    return drift(`${objects.length} objects of the operator`, await changesOf(cluster, "operator", objects));
  });
}

async function guardrails(cluster: Cluster, desired: readonly KubeObject[]): Promise<Look> {
  if (cluster.simulated) {
    return warn(
      "none: the sandbox enforces no admission policies",
      "only a cluster does: --context names one",
    );
  }
  const changes = await changesOf(cluster, "guardrails", desired);
  const missing = changes.filter(({ action }) => action === "create");
  if (missing.length > 0) {
    return fail(`not in force: ${names(missing)} ${missing.length === 1 ? "is" : "are"} missing`, install);
  }
  const warnings = await policyWarnings(cluster, desired);
  const [first] = warnings;
  if (first !== undefined) return fail(first, "report this with the version of the cluster");
  const policies = desired.filter(({ kind }) => kind === resources.validatingAdmissionPolicies.kind).length;
  return drift(`${policies} admission policies, each bound`, changes);
}

/** Whether what is there is what this program would write. */
function drift(told: string, changes: readonly ObjectChange[]): Look {
  const of = (action: ObjectChange["action"]) => changes.filter((change) => change.action === action);
  const [missing, changed, old] = [of("create"), of("change"), of("delete")];
  if (missing.length > 0) return fail(`missing: ${names(missing)}`, install);
  if (changed.length > 0) return warn(`not as this program has them: ${names(changed)}`, install);
  if (old.length > 0) return warn(`of another version, and not needed any more: ${names(old)}`, install);
  return ok(`${told}, as this program has them`);
}

function names(changes: readonly ObjectChange[]): string {
  const shown = changes.slice(0, 2).map(({ object }) => `${object.kind} ${object.metadata.name}`);
  return changes.length <= 2 ? shown.join(", ") : `${shown.join(", ")} and ${changes.length - 2} more`;
}
