import { holderFile } from "../../src/terraform/holder-file.ts";
import type { Stage } from "./stage.ts";

/** Resolves `made` when the first instance is made in the cloud; its answer waits until `answer` is called. */
export function holdTheAnswer(stage: Stage): { readonly made: Promise<void>; readonly answer: () => void } {
  const made = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  let held = false;
  stage.meet((call) => {
    if (held || call.action !== "create" || call.type !== "google_sql_database_instance") return undefined;
    held = true;
    // The answer goes out after the instance is in the cloud.
    setImmediate(() => made.resolve());
    return { at: "done", message: "", until: answered.promise };
  });
  return { made: made.promise, answer: () => answered.resolve() };
}

/** Kills the Terraform that works in a workspace's folder. */
export async function killTerraform({ folder }: { readonly folder: string }): Promise<void> {
  const [holder] = await holderFile(folder).read();
  if (holder?.terraform === undefined) throw new Error("it is not recorded who works");
  process.kill(holder.terraform.pid, "SIGKILL");
}
