import { storeNames } from "../../secrets/rotation.ts";
import { objectEffect } from "../objects/objects.ts";
import type { Step } from "../step.ts";
import { markedDeployments, rollPods, storeOf, turnUnderWay, writeLogin } from "./credentials.ts";

/** The Secret holds the new login, and every pod has read it. */
export const switchCredentials: Step = {
  id: "switch_credentials",
  title: "Switch",
  needs: ["enable_credentials"],
  when: () => true,
  async describe({ application, standards, ...context }) {
    const { name } = storeNames(application, storeOf(context));
    const { namespace } = application.metadata;
    const deployments = await markedDeployments({ application, standards, ...context });
    return {
      effects: [
        {
          action: "change",
          effect: { kind: "object", apiVersion: "v1", type: "Secret", namespace, name },
        },
        ...deployments.map((object) => ({ action: "change" as const, effect: objectEffect(object) })),
      ],
      notes: ["every pod is replaced, one after the other"],
      manifests: [],
    };
  },
  async apply(context) {
    const store = storeOf(context);
    const { turn } = await turnUnderWay(context, store);
    await writeLogin(context, store, turn.next, turn.version);
    const ready = await rollPods(context);
    return { summary: `${ready} of ${context.application.spec.replicas} replicas use ${turn.next.username}` };
  },
};
