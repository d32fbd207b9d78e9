import { storeNames } from "../../secrets/rotation.ts";
import type { Step } from "../step.ts";
import { rolloutEffects, rollPods, storeOf, turnUnderWay, writeLogin } from "./credentials.ts";

/** The Secret holds the new login, and every pod has read it. */
export const switchCredentials: Step = {
  id: "switch_credentials",
  title: "Switch",
  needs: ["enable_credentials"],
  when: () => true,
  async describe(context) {
    const { name } = storeNames(context.application, storeOf(context));
    return {
      effects: await rolloutEffects(context, name),
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
