import type { CodeHost } from "./code-host.ts";
import { DeliveryError } from "./delivery-error.ts";

const problem = "the standards name no place for repositories (delivery.host)";
const mend =
  "set delivery.host in a standards file, such as ssh://git@git.example.com/services, then: platform install --standards FILE";

/** What a cluster has whose standards name no code host: a refusal that says so, found by preflight. */
export function missingHost(): CodeHost {
  const refuse = async (): Promise<never> => {
    throw new DeliveryError("refused", problem, mend);
  };
  return {
    urlOf: (team, service) => `none/${team}/${service}.git`,
    check: async () => ({ ok: false, problem, mend }),
    exists: async () => false,
    create: refuse,
    commit: refuse,
    log: refuse,
    foreignCommits: refuse,
    remove: refuse,
  };
}
