import { DeliveryError } from "./delivery-error.ts";
import type { PushProgram } from "./push-hook.ts";

/** What both kinds of host need. */
export interface HostOptions {
  /** Now: the time commits carry. */
  readonly now: () => Date;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder for short-lived clones of remote repositories. */
  readonly temporary: string;
  /** The Git binary. */
  readonly binary: string;
  /** What a push to a repository runs that is made in a folder of this machine; left out: nothing. */
  readonly onPush?: PushProgram;
}

/**
 * A service's repository: team and service are DNS labels, which is checked again here because they become paths.
 * @throws DeliveryError where they are not.
 */
export function repositoryUrl(prefix: string, team: string, service: string): string {
  for (const part of [team, service]) {
    if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(part)) {
      throw new DeliveryError(
        "invalid",
        `${JSON.stringify(part)} cannot be part of a repository's name`,
        "use a name of lower-case letters, digits and hyphens",
      );
    }
  }
  return `${prefix}/${team}/${service}.git`;
}

/**
 * The path of a repository below its host: `<team>/<service>.git`.
 * @throws DeliveryError where the URL is not one of this host's.
 */
export function pathBelow(prefix: string, url: string): string {
  const path = url.startsWith(`${prefix}/`) ? url.slice(prefix.length + 1) : "";
  const [, team, service] = /^([^/]+)\/([^/]+)\.git$/.exec(path) ?? [];
  if (team === undefined || service === undefined || repositoryUrl(prefix, team, service) !== url) {
    throw new DeliveryError(
      "invalid",
      `${url} is not a repository of ${prefix}`,
      "the standards' delivery.host has changed since the run began: set it back, or make a new run",
    );
  }
  return path;
}
