import { deletions } from "../describe.ts";
import type { Step } from "../step.ts";
import { serviceObjects } from "./service-objects.ts";

/** Deletes database and cache with their volumes and credentials: the data is lost. */
export const deleteDataStores: Step = {
  id: "delete_data_stores",
  title: "Data stores",
  needs: ["delete_kubernetes"],
  when: ({ dataStores }) => dataStores === "delete",
  async describe({ cluster, request }) {
    const { dataStores, claims } = await serviceObjects(cluster, request.name);
    return deletions([...dataStores, ...claims], claims.length === 0 ? [] : ["the data is lost"]);
  },
  async apply({ cluster, request, write }) {
    const { dataStores } = await serviceObjects(cluster, request.name);
    await write.deleteObjects(dataStores);
    // A claim is held until no pod uses it: so after the StatefulSets.
    const { claims } = await serviceObjects(cluster, request.name);
    await write.deleteObjects(claims);
    return { summary: `${dataStores.length} objects and ${claims.length} volumes deleted` };
  },
};
