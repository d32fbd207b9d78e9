import type { Step } from "../step.ts";
import { copied } from "./copy_source.ts";

/** The source once more, which nobody writes to any more: this is what the service gets. */
export const copyClosed: Step = {
  id: "copy_closed",
  title: "Final copy",
  needs: ["close_source"],
  when: () => true,
  async describe() {
    return {
      effects: [],
      notes: ["rows and checksums of every table, and how far each sequence has come, have to be the same"],
      manifests: [],
    };
  },
  apply: (context) => copied(context, "final"),
};
