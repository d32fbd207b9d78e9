import type { InstallationPart } from "../../installation/objects.ts";
import { isOfInstallation } from "../installation.ts";
import { deletions } from "../operations/describe.ts";
import type { StepId } from "../plan.ts";
import type { PlanContext, Step } from "../step.ts";

async function installed({ cluster }: PlanContext, part: InstallationPart) {
  const { installedObjects } = await import("../../installation/look.ts");
  return (await installedObjects(cluster, part)).filter(isOfInstallation);
}

/** A step that deletes a part of the installation, whichever version wrote it. */
export function removesPart(
  id: StepId,
  title: string,
  part: InstallationPart,
  needs: readonly StepId[],
): Step {
  return {
    id,
    title,
    needs,
    when: () => true,
    describe: async (context) => deletions(await installed(context, part)),
    async apply(context) {
      const objects = await installed(context, part);
      await context.write.deleteObjects(objects);
      return { summary: objects.length === 0 ? "nothing to delete" : `${objects.length} deleted` };
    },
  };
}
