import { desiredObjects } from "../../application/desired-objects.ts";
import { creations } from "../describe.ts";
import { waitUntilReady } from "../readiness.ts";
import type { Step } from "../step.ts";

/** The Application, and from it the workload; waits until every replica is ready. */
export const applyKubernetes: Step = {
  id: "apply_kubernetes",
  title: "Application",
  needs: ["create_namespace", "provision_database", "provision_cache"],
  when: () => true,
  async describe({ application, standards }) {
    const starter = application.spec.starter
      ? ["runs the starter image until the pipeline has pushed one"]
      : [];
    return creations([application, ...desiredObjects(application, standards).workload], starter);
  },
  async apply({ application, standards, cluster, clock, signal, write, log }) {
    const [stored] = await write.objects([application]);
    const uid = stored?.object.metadata.uid;
    const owner =
      uid === undefined ? application : { ...application, metadata: { ...application.metadata, uid } };
    const objects = desiredObjects(owner, standards).workload;
    await write.objects(objects);
    const withinMs = standards.workload.progressDeadlineSeconds * 1_000;
    let ready = 0;
    for (const object of objects.filter(({ kind }) => kind === "Deployment")) {
      ready += await waitUntilReady(object, { cluster, clock, signal, withinMs, log });
    }
    const starter = application.spec.starter ? ", starter image" : "";
    return { summary: `${ready} of ${application.spec.replicas} replicas ready${starter}` };
  },
};
