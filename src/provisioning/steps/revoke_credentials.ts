import { nextCredentials } from "../../application/credentials.ts";
import { loginIn, otherLogin, storeNames } from "../../secrets/rotation.ts";
import type { Step } from "../step.ts";
import { inStore, secretOfStore, storeOf, turnOf } from "./credentials.ts";

/**
 * The old password is forgotten, then taken away: in this order nothing can bring it back in between, and from the
 * first of the two on the rotation can only be finished.
 */
export const revokeCredentials: Step = {
  id: "revoke_credentials",
  title: "Revoke",
  needs: ["prove_credentials"],
  when: () => true,
  async describe(context) {
    const { application } = context;
    const { namespace } = application.metadata;
    const name = nextCredentials(storeNames(application, storeOf(context)).name);
    return {
      effects: [
        {
          action: "delete",
          effect: { kind: "object", apiVersion: "v1", type: "Secret", namespace, name },
        },
      ],
      notes: ["from here on the old password cannot be brought back"],
      manifests: [],
    };
  },
  async apply(context) {
    const { application, write } = context;
    const store = storeOf(context);
    const under = await turnOf(context, store);
    if (under !== undefined) await write.deleteObjects([under.secret]);
    await inStore(context, store, "revoke");
    const now = loginIn(await secretOfStore(context, store))?.username ?? "";
    const gone = otherLogin(storeNames(application, store).logins, now) ?? "the old login";
    return { summary: `${gone} can no longer log in` };
  },
};
