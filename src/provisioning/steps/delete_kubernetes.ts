import { deletions } from "../operations/describe.ts";
import type { Step } from "../step.ts";
import { serviceObjects } from "./service-objects.ts";

/** Deletes the Application and all that runs, watches or exposes the service; its data stores stay. */
export const deleteKubernetes: Step = {
  id: "delete_kubernetes",
  title: "Application",
  needs: ["preflight"],
  when: () => true,
  async describe({ cluster, application }) {
    return deletions((await serviceObjects(cluster, application.metadata)).workload);
  },
  async apply({ cluster, application, write }) {
    const { workload } = await serviceObjects(cluster, application.metadata);
    await write.deleteObjects(workload);
    return { summary: `${workload.length} objects deleted` };
  },
};
