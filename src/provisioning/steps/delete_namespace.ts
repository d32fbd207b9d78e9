import { hasOwnNamespace } from "../../application/service-ref.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { dataStoreNames, foreignObjects } from "../objects/namespace-contents.ts";
import { objectEffect } from "../objects/objects.ts";
import { deletions } from "../operations/describe.ts";
import { guardrailKinds } from "../rollback/rollback.ts";
import type { Step } from "../step.ts";
import { serviceObjects } from "./service-objects.ts";

/** Deletes the namespace where it holds nothing that the platform did not make; otherwise only what it made. */
export const deleteNamespace: Step = {
  id: "delete_namespace",
  title: "Namespace",
  needs: ["delete_kubernetes", "delete_data_stores"],
  // A namespace that others share is not the service's to delete.
  when: ({ dataStores, application }) => dataStores === "delete" && hasOwnNamespace(application.metadata),
  async describe({ cluster, application: { metadata } }) {
    const namespace = await find(cluster, resources.namespaces, { name: metadata.namespace });
    const { guardrails } = await serviceObjects(cluster, metadata);
    return deletions(
      [...guardrails, ...(namespace === undefined ? [] : [namespace])],
      ["the repository is kept"],
    );
  },
  async apply({ cluster, request, application: { metadata }, write }) {
    const name = metadata.namespace;
    const namespace = await find(cluster, resources.namespaces, { name });
    if (namespace === undefined) return { summary: `${name} was gone already` };
    const foreign = await foreignObjects(cluster, name, {
      effects: new Set(),
      service: request.name,
      statefulSets: dataStoreNames(request.name),
    });
    if (foreign.length === 0) {
      const { guardrails } = await serviceObjects(cluster, metadata);
      // Each by itself, so that what was is journaled and can be made again.
      await write.deleteObjects([...guardrails, namespace]);
      return { summary: `${name} deleted` };
    }
    // What guards the namespace stays as long as it does.
    const { guardrails } = await serviceObjects(cluster, metadata);
    await write.deleteObjects(guardrails.filter(({ kind }) => !guardrailKinds.has(kind)));
    await write.keep(objectEffect(namespace), `holds ${foreign.slice(0, 5).join(", ")}`, async () => {});
    return {
      summary: `${name} stays`,
      warnings: [
        `namespace ${name} stays: it holds ${foreign.slice(0, 5).join(", ")}, which the platform did not make`,
      ],
    };
  },
};
