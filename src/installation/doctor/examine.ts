import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import { resources } from "../../cluster/resource.ts";
import type { CodeHost } from "../../delivery/code-host.ts";
import type { Metrics } from "../../monitoring/metrics.ts";
import type { Clock } from "../../provisioning/clock.ts";
import { isInstalled } from "../../provisioning/installed.ts";
import type { Standards } from "../../standards/standards.ts";
import { operatorImage } from "../operator-image.ts";
import { type Client, clientFindings } from "./client.ts";
import { connectionFinding, rightsFindings } from "./cluster.ts";
import { type Finding, fail, look } from "./finding.ts";
import { operatorFindings } from "./operator.ts";
import { installationFindings, standardsFinding } from "./platform.ts";
import { surroundingsFindings } from "./surroundings.ts";

/** What the doctor takes from outside. */
export interface Examined {
  readonly client: Client;
  /** @throws KubeconfigError and others, which become a finding */
  connect(): Promise<Cluster>;
  /** What executing runs on the cluster takes, by its standards. @throws StandardsMissing, RefusedInput, ClusterError */
  parts(
    cluster: Cluster,
  ): Promise<{ readonly standards: Standards; readonly metrics: Metrics; readonly codeHost: CodeHost }>;
  readonly clock: Clock;
}

/**
 * Looks at everything, from the machine it runs on to what the cluster works with; writes nothing. What cannot be seen
 * is said to be so, and ends nothing.
 */
export async function examine({ client, connect, parts, clock }: Examined): Promise<readonly Finding[]> {
  const findings = [...(await clientFindings(client))];
  let cluster: Cluster | undefined;
  const connected = await look(
    "cluster",
    "connection",
    async () => {
      cluster = await connect();
      return connectionFinding(cluster, () => clock.now().getTime());
    },
    { mend: "--kubeconfig names another file, --context another context" },
  );
  findings.push(connected);
  if (cluster === undefined || connected.state === "fail") return findings;
  findings.push(...(await rightsFindings(cluster)));
  return [...findings, ...(await platformFindings(cluster, { client, parts, clock }))];
}

/** What only platform engineers can mend, said to who is none: whom to ask. */
function told(
  findings: readonly Finding[],
  manages: boolean,
  contact: string | undefined,
): readonly Finding[] {
  if (manages) return findings;
  const whom = contact ?? "a platform engineer";
  return findings.map((finding) => {
    const { mend } = finding;
    if (mend === undefined) return finding;
    const isCommand = /^(platform|kubectl) /.test(mend);
    return { ...finding, mend: isCommand ? `ask ${whom} to run: ${mend}` : `ask ${whom}: ${mend}` };
  });
}

async function platformFindings(
  cluster: Cluster,
  { client: { version }, parts, clock }: Pick<Examined, "client" | "parts" | "clock">,
): Promise<readonly Finding[]> {
  const { group, plural } = resources.guardrails;
  const manages = await cluster.can({ verb: "manage", group, resource: plural });
  const installed = await look("platform", "installed", async () =>
    (await isInstalled(cluster))
      ? { state: "ok", text: "" }
      : fail(`the platform is not installed on ${cluster.context}`, "platform install"),
  );
  if (installed.state !== "ok") return told([installed], manages, undefined);
  let found: Awaited<ReturnType<Examined["parts"]>> | undefined;
  const standards = await look("platform", "standards", async () => {
    found = await parts(cluster);
    return standardsFinding(found.standards);
  });
  if (found === undefined) {
    return told([standards, ...(await operatorFindings(cluster, clock))], manages, undefined);
  }
  const image = found.standards.operator.image ?? (await seen(operatorImage(cluster)));
  const [installation, operator, surroundings] = await Promise.all([
    installationFindings(cluster, { version, ...(image === undefined ? {} : { image }) }, found.standards),
    operatorFindings(cluster, clock),
    surroundingsFindings(cluster, found),
  ]);
  return told([standards, ...installation, ...operator, ...surroundings], manages, found.standards.contact);
}

/** Undefined where whoever asks may not look. */
async function seen<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isClusterError(error, "forbidden")) return undefined;
    throw error;
  }
}
