import { nextCredentials } from "../../application/credentials.ts";
import { labels } from "../../application/names.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import { loginIn, otherLogin, storeNames } from "../../secrets/rotation.ts";
import { ProvisioningError } from "../errors.ts";
import type { Check } from "./check.ts";

/** The Secret must name one of the two logins that take turns, and nothing may be left of another rotation. */
export const storeTakesTurns: Check = async ({ cluster, application, credential, request, run }) => {
  if (credential === undefined) return undefined;
  const { namespace } = application.metadata;
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
