import type { Step } from "../step.ts";
import { inStore, storeOf, turnUnderWay } from "./credentials.ts";

/** The new login works, and nobody is connected as the old one any more. Writes nothing that stays. */
export const proveCredentials: Step = {
  id: "prove_credentials",
  title: "Proof",
  needs: ["switch_credentials"],
  when: () => true,
  async describe() {
    return { effects: [], notes: [], manifests: [] };
  },
  async apply(context) {
    const store = storeOf(context);
    const { turn } = await turnUnderWay(context, store);
    await inStore(context, store, "prove");
    return { summary: `${turn.next.username} logs in, nobody is connected as ${turn.previous.username}` };
  },
};
