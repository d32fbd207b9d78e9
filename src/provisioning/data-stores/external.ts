import type { Application } from "../../application/application.ts";
import {
  addressText,
  type ExternalStore,
  externalKeys,
  pathText,
  secretProblems,
} from "../../application/external-store.ts";
import { externalOf, type StoreKind } from "../../application/store-provider.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { StepError } from "../errors.ts";
import type { PlanContext, StepContext } from "../step.ts";
import { logIn } from "./log-in.ts";
import type { DataStoreProvider } from "./provider.ts";
import { termsElsewhere } from "./terms.ts";

/**
 * A data store that exists already: its Secret must be whole, and open it. Nothing of it is made, changed, deleted or
 * taken back.
 */
export const external: DataStoreProvider = {
  async describe({ application, standards }, store) {
    const there = externalIn(application, store);
    return {
      effects: [],
      notes: [
        `${addressText(there)} exists already, with its credentials in secret ${there.secret}: nothing of it is made, changed or deleted`,
        pathText(there, standards),
      ],
      manifests: [],
      terms: [termsElsewhere(there, store)],
    };
  },
  async provision(context, store) {
    const there = externalIn(context.application, store);
    await untilWhole(context, store);
    await logIn(context, store);
    return { summary: `${addressText(there)}, logged in with secret ${there.secret}` };
  },
};

function externalIn({ spec }: Application, store: StoreKind): ExternalStore {
  const found = externalOf(spec, store);
  if (found === undefined) throw new Error(`the ${store} is not an external one`);
  return found;
}

/** What is wrong with the Secret of an external data store. */
export type SecretFault =
  | { readonly kind: "missing"; readonly secret: string }
  | { readonly kind: "unfit"; readonly secret: string; readonly problems: readonly string[] };

/** Looks at the Secret that opens an external data store; undefined where nothing is wrong with it. @throws ClusterError */
export async function secretFault(
  cluster: Cluster,
  { metadata, spec }: Application,
  store: StoreKind,
): Promise<SecretFault | undefined> {
  const there = externalOf(spec, store);
  if (there === undefined) return undefined;
  const { secret } = there;
  const found = await find(cluster, resources.secrets, { namespace: metadata.namespace, name: secret });
  if (found === undefined) return { kind: "missing", secret };
  const problems = secretProblems(found, there, store);
  return problems.length === 0 ? undefined : { kind: "unfit", secret, problems };
}

/** What is wrong, and what to do about it, for a person. Pure. */
export function faultText(
  fault: SecretFault,
  { metadata: { namespace } }: Pick<Application, "metadata">,
  store: StoreKind,
): { readonly message: string; readonly mend: string } {
  const { secret } = fault;
  if (fault.kind === "unfit") {
    return {
      message: fault.problems.map((problem) => `secret ${secret} in ${namespace} ${problem}`).join("; "),
      mend: `have whoever made it mend it: kubectl edit secret ${secret} -n ${namespace}`,
    };
  }
  return {
    message: `there is no secret ${secret} in ${namespace}, with the credentials of the ${store}`,
    mend: `have somebody who may make one, with the keys ${externalKeys[store].join(", ")}: kubectl create secret generic ${secret} -n ${namespace} --from-env-file=FILE`,
  };
}

/** What passes sooner is no news, in milliseconds. */
const worthTelling = 2_000;

/**
 * Waits until the Secret is there: of a service whose namespace was just made, nobody can have put it there before.
 * @throws StepError `invalid` where it is not as it must be, `unhealthy` where it does not come
 */
async function untilWhole(context: StepContext, store: StoreKind): Promise<void> {
  const { application, cluster, standards, clock, signal, log } = context;
  const started = clock.now().getTime();
  let told = false;
  for (let pause = 100; ; pause = Math.min(2_000, pause * 1.4)) {
    const fault = await secretFault(cluster, application, store);
    if (fault === undefined) return;
    const { message, mend } = faultText(fault, application, store);
    if (fault.kind === "unfit") throw new StepError("invalid", message, `${mend}; then retry`);
    const waited = clock.now().getTime() - started;
    if (waited > waitsMs(standards)) throw new StepError("unhealthy", message, `${mend}; then retry`);
    if (waited >= worthTelling && !told) {
      told = true;
      log(`waiting for it: ${message}`);
    }
    await clock.sleep(pause, signal);
  }
}

/** How long a run waits for the Secret in a namespace that it has made, in milliseconds. */
export function waitsMs({ workload }: Pick<PlanContext["standards"], "workload">): number {
  return workload.progressDeadlineSeconds * 1_000;
}
