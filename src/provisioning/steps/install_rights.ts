import { apply } from "../../cluster/cluster.ts";
import { resourceOf } from "../../cluster/resource.ts";
import { objectEffect, observeEffect } from "../objects.ts";
import type { Step } from "../step.ts";
import { objectsOf, writesPart } from "./installation-part.ts";

const rights = writesPart({
  id: "install_rights",
  title: "Rights",
  part: "rights",
  needs: ["install_types"],
});

/**
 * Who may do what: the shipped roles, bound to the groups in the standards. The namespaces of Terraform's states and of
 * databases, where there are any, are kept by a rollback: states and databases may have come since.
 */
export const installRights: Step = {
  ...rights,
  async apply(context) {
    const objects = await objectsOf(context, "rights");
    for (const namespace of objects.filter(({ kind }) => kind === "Namespace")) {
      if ((await observeEffect(context.cluster, objectEffect(namespace))) !== undefined) continue;
      await context.write.keep(
        objectEffect(namespace),
        "states of Terraform, or databases, may be in it",
        () => apply(context.cluster, resourceOf(namespace), namespace),
      );
    }
    return rights.apply(context);
  },
};
