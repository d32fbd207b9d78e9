import { nextCredentials } from "../../application/credentials.ts";
import { labels } from "../../application/names.ts";
import { isInCloud } from "../../application/store-provider.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { loginIn, otherLogin, storeNames } from "../../secrets/rotation.ts";
import { recordedStore } from "../data-stores/in-cloud.ts";
import { versionWithoutTurns } from "../data-stores/turns.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check } from "./check.ts";

/** What Google alone can change is refused with the command for it, and with what that costs. */
export const googleLetsTurn: Check = async (context) => {
  const { application, credential, request } = context;
  if (credential === undefined || !isInCloud(application.spec, credential)) return undefined;
  const store = await recordedStore(context, credential);
  const secret = storeNames(application, credential).name;
  const gap = `nobody new gets in until the new one is in secret ${secret}: see the runbook on rotation`;
  if (credential === "cache") {
    const unrecorded = { name: "INSTANCE", region: "REGION", project: "PROJECT" };
    const { name, region, project } = store?.provider === "memorystore" ? store.variables : unrecorded;
    const update = `gcloud redis instances update ${name} --region ${region} --project ${project}`;
    return new ProvisioningError(
      "usage",
      `the cache of ${request.name} is at Memorystore, which makes its one password itself: it does not change without a gap`,
      `${update} --no-enable-auth, then the same with --enable-auth; in between whoever reaches the network needs no password, and afterwards ${gap}`,
    );
  }
  const version = versionWithoutTurns(store);
  if (store?.provider !== "cloudsql" || version === undefined) return undefined;
  const { name, project, user } = store.variables;
  return new ProvisioningError(
    "usage",
    `the database of ${request.name} is PostgreSQL ${version} at Cloud SQL, where no login may give another its rights: no two can take turns`,
    `gcloud sql users set-password ${user} --instance ${name} --project ${project} --prompt-for-password; afterwards ${gap}`,
  );
};

/** The Secret must name one of the two logins that take turns, and nothing may be left of another rotation. */
export const storeTakesTurns: Check = async ({ cluster, application, credential, request, run }) => {
  if (credential === undefined) return undefined;
  const { namespace } = application.metadata;
  if (credential === "cache" && isInCloud(application.spec, credential)) return undefined;
  const { name, logins } = storeNames(application, credential);
  const [secret, next] = await Promise.all(
    [name, nextCredentials(name)].map((each) => find(cluster, resources.secrets, { namespace, name: each })),
  );
  if (secret?.immutable === true) {
    return new ProvisioningError(
      "usage",
      `secret ${name} was made by External Secrets Operator and cannot be changed, so its password does not take turns`,
      "see the runbook on rotation: platform standards show says which store makes passwords",
    );
  }
  const login = secret && loginIn(secret);
  if (login === undefined || otherLogin(logins, login.username) === undefined) {
    return new ProvisioningError(
      "usage",
      secret === undefined
        ? `there is no secret ${name} in ${namespace}`
        : `secret ${name} names neither ${logins.join(" nor ")}, the logins of ${request.name} that take turns`,
      "it was made by an older version or changed by hand: see the runbook on rotation",
    );
  }
  const maker = next?.metadata.labels?.[labels.run];
  if (next === undefined || (run !== undefined && maker === run)) return undefined;
  return new ProvisioningError(
    "usage",
    `secret ${nextCredentials(name)} is left from ${maker === undefined ? "another rotation" : `run ${maker}`}`,
    `see what became of that run, then delete it: kubectl delete secret ${nextCredentials(name)} -n ${namespace}`,
  );
};
