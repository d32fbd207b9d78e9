import { databaseNames, holdsData, instanceSides } from "../../application/credentials.ts";
import { find } from "../../cluster/find.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { resources } from "../../cluster/resource.ts";
import { StepError } from "../errors.ts";
import { isProtected, protecting } from "../objects/protection.ts";
import type { Step, StepContext } from "../step.ts";
import { besideName, exchange, instancesOf, isAtCloudSql } from "./cloud-restore.ts";
import { rolloutEffects, rollPods, secretOfStore } from "./credentials.ts";

/** The service uses the new instance: its record, its Secret and every pod. The old one stays, protected. */
export const switchInstance: Step = {
  id: "switch_instance",
  title: "Cut-over",
  needs: ["prove_clone", "migrate"],
  when: isAtCloudSql,
  async describe(context) {
    const { name } = databaseNames(context.application);
    return {
      effects: await rolloutEffects(context, name, ["ConfigMap", "Secret"]),
      notes: [
        "every pod is replaced, one after the other; what was written since the moment is in the old instance alone",
        "the old instance stays, and is protected",
      ],
      manifests: [],
    };
  },
  async apply(context) {
    const { application, request, standards, write } = context;
    const { before, restored } = await instancesOf(context);
    await exchange(context, { used: restored, other: before });
    await tellService(context, "restored");
    const ready = await rollPods(context);
    const record = await recordBeside(context);
    if (standards.dataStores.deletionProtection && record !== undefined && !isProtected(record.metadata)) {
      await write.patchObjects([record], protecting);
    }
    const { namespace } = application.metadata;
    return {
      summary: `${ready} of ${application.spec.replicas} replicas use ${restored.variables.name}`,
      warnings: [
        `${before.variables.name} stays and costs what it did; once nobody needs it: platform orphans delete ${namespace}/configmap/${besideName(context)} --confirm ${request.name}`,
        `the login that ${request.name} does not use has the password that it had then; if that had leaked: platform secret rotate ${request.name} database`,
      ],
    };
  },
};

type SwitchContext = Pick<StepContext, "application" | "cluster" | "run" | "write">;

/** What says where the instance is that the service does not use. */
export async function recordBeside(context: Omit<SwitchContext, "write">): Promise<KubeObject | undefined> {
  const { namespace } = context.application.metadata;
  const found = await find(context.cluster, resources.configMaps, { namespace, name: besideName(context) });
  return found && { ...found, apiVersion: "v1", kind: "ConfigMap" };
}

/**
 * Has the Secret that the service's pods read say how the one instance is reached, or the other. What differs is
 * written, nothing else.
 * @throws StepError `invalid` where nothing says so any more
 */
export async function tellService(context: SwitchContext, side: "restored" | "before"): Promise<void> {
  const { application, cluster, write } = context;
  const { namespace } = application.metadata;
  const name = besideName(context);
  const [both, secret] = await Promise.all([
    find(cluster, resources.secrets, { namespace, name }),
    secretOfStore(context, "database"),
  ]);
  if (both === undefined) {
    throw new StepError(
      "invalid",
      `secret ${name} is gone, which says how both instances are reached`,
      "see who deleted it; what the service's own Secret says is as it was, unless this run had begun to change it",
    );
  }
  const data = instanceSides(both)[side];
  if (holdsData(secret, data)) return;
  await write.patchObjects([secret], { data });
}
