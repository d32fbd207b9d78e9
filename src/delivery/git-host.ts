import { fileURLToPath, pathToFileURL } from "node:url";
import type { CodeHost } from "./code-host.ts";
import { DeliveryError } from "./delivery-error.ts";
import { localHost } from "./local-host.ts";
import { remoteHost } from "./remote-host.ts";

/** Where repositories live, and what is injected. */
export interface GitHostOptions {
  /**
   * A folder of bare repositories (`root`), or `delivery.host` of the standards: `file:///…` likewise, or a prefix
   * `ssh://…` or `https://…` that `<team>/<service>.git` is appended to.
   */
  readonly where: { readonly root: string } | { readonly host: string };
  /** Now: the time commits carry. */
  readonly now: () => Date;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder for short-lived clones of remote repositories. */
  readonly temporary: string;
  /** Default `git`, from PATH. */
  readonly binary?: string;
}

/** What both kinds of host need of {@link GitHostOptions}. */
export interface HostOptions extends Omit<GitHostOptions, "where" | "binary"> {
  readonly binary: string;
}

/**
 * The code host over real Git.
 * @throws DeliveryError for a host that is no `file`, `ssh` or `https` URL, or holds a password.
 */
export function gitHost({ where, binary = "git", ...rest }: GitHostOptions): CodeHost {
  const options = { ...rest, binary };
  if ("root" in where)
    return localHost(pathToFileURL(where.root).href.replace(/\/+$/, ""), where.root, options);
  let url: URL;
  try {
    url = new URL(where.host);
  } catch (error) {
    throw wrongHost(where.host, "is not a URL", error);
  }
  if (url.password !== "" || (url.protocol === "https:" && url.username !== "")) {
    throw wrongHost(`${url.protocol}//${url.host}`, "holds a credential, which everybody could read");
  }
  const prefix = where.host.replace(/\/+$/, "");
  switch (url.protocol) {
    case "file:":
      if (url.host !== "") throw wrongHost(where.host, "names another machine");
      return localHost(prefix, fileURLToPath(url), options);
    case "ssh:":
    case "https:":
      return remoteHost(prefix, options);
    default:
      throw wrongHost(where.host, "is none of file://, ssh:// and https://");
  }
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

function wrongHost(host: string, problem: string, cause?: unknown): DeliveryError {
  return new DeliveryError(
    "invalid",
    `delivery.host of the standards, ${JSON.stringify(host)}, ${problem}`,
    "set it to a file://, ssh:// or https:// prefix that <team>/<service>.git is appended to",
    cause,
  );
}
