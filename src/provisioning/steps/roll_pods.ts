import { databaseNames } from "../../application/credentials.ts";
import { importedAnnotation } from "../../application/names.ts";
import type { Step } from "../step.ts";
import { rolloutEffects, rollPods, secretOfStore } from "./credentials.ts";

/**
 * New pods start on what was imported. What rolls them is a mark of the Secret that they read, so that whoever keeps the
 * service wants the same pods.
 */
export const rollPodsAfterImport: Step = {
  id: "roll_pods",
  title: "Roll out",
  needs: ["swap_database", "migrate"],
  when: () => true,
  async describe(context) {
    const { name } = databaseNames(context.application);
    return {
      effects: await rolloutEffects(context, name),
      notes: ["every pod is replaced, one after the other"],
      manifests: [],
    };
  },
  async apply(context) {
    const secret = await secretOfStore(context, "database");
    const annotations = { [importedAnnotation]: context.run };
    if (secret.metadata.annotations?.[importedAnnotation] !== context.run) {
      await context.write.patchObjects([secret], { metadata: { annotations } });
    }
    const ready = await rollPods(context);
    return { summary: `${ready} of ${context.application.spec.replicas} replicas run on what was imported` };
  },
};
