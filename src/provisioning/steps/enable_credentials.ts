import { generatePassword, nextCredentials } from "../../application/credentials.ts";
import { labels } from "../../application/names.ts";
import {
  isCloudSql,
  loginIn,
  otherLogin,
  secretVersion,
  storeNames,
  turnSecret,
} from "../../secrets/rotation.ts";
import { withoutValues, writes } from "../describe.ts";
import { StepError } from "../errors.ts";
import type { Step } from "../step.ts";
import { inStore, secretOfStore, storeOf, turnOf } from "./credentials.ts";

/** The login whose turn it is not may log in too, with a new password; both are kept until the rotation is over. */
export const enableCredentials: Step = {
  id: "enable_credentials",
  title: "New password",
  needs: ["preflight"],
  when: () => true,
  async describe(context) {
    const nobody = { username: "", password: "" };
    const secret = turnSecret(
      context.application,
      storeOf(context),
      { next: nobody, previous: nobody, version: 1 },
      () => new Uint8Array(16),
    );
    const described = await writes(context, [withoutValues(secret)]);
    const { application } = context;
    const [, second] = storeNames(application, storeOf(context)).logins;
    const atGoogle = storeOf(context) === "database" && isCloudSql(application);
    return {
      ...described,
      notes: [
        "jobs in the service's namespace, there only while they run, change the data store",
        ...(atGoogle ? [`the first rotation makes the login ${second} in it, which stays`] : []),
      ],
    };
  },
  async apply(context) {
    const { application, write, randomBytes, run } = context;
    const store = storeOf(context);
    const { name, logins } = storeNames(application, store);
    const existing = await turnOf(context, store);
    const secret = await secretOfStore(context, store);
    const current = loginIn(secret);
    const other = current && otherLogin(logins, current.username);
    if (current === undefined || other === undefined) {
      throw new StepError(
        "invalid",
        `secret ${name} names neither ${logins.join(" nor ")}: the logins that take turns`,
        "it was made by an older version or changed by hand: see the runbook on rotation",
      );
    }
    const maker = existing?.secret.metadata.labels?.[labels.run];
    if (existing !== undefined && maker !== run) {
      throw new StepError(
        "conflict",
        `secret ${nextCredentials(name)} is left from ${maker === undefined ? "another rotation" : `run ${maker}`}`,
        "see what became of that run, delete the secret, then retry",
      );
    }
    await write.createOnce(
      existing?.secret ??
        turnSecret(
          application,
          store,
          {
            next: { username: other, password: generatePassword(randomBytes) },
            previous: current,
            version: secretVersion(secret.metadata.annotations) + 1,
          },
          randomBytes,
        ),
    );
    await inStore(context, store, "enable");
    return { summary: `${existing?.turn.next.username ?? other} may log in too` };
  },
};
