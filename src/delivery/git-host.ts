import { fileURLToPath, pathToFileURL } from "node:url";
import type { CodeHost } from "./code-host.ts";
import { DeliveryError } from "./delivery-error.ts";
import type { HostOptions } from "./host.ts";
import { localHost } from "./local-host.ts";
import { remoteHost } from "./remote-host.ts";

/** Where repositories live, and what is injected. */
export interface GitHostOptions extends Omit<HostOptions, "binary"> {
  /**
   * A folder of bare repositories (`root`), or `delivery.host` of the standards: `file:///…` likewise, or a prefix
   * `ssh://…` or `https://…` that `<team>/<service>.git` is appended to.
   */
  readonly where: { readonly root: string } | { readonly host: string };
  /** Default `git`, from PATH. */
  readonly binary?: string;
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

function wrongHost(host: string, problem: string, cause?: unknown): DeliveryError {
  return new DeliveryError(
    "invalid",
    `delivery.host of the standards, ${JSON.stringify(host)}, ${problem}`,
    "set it to a file://, ssh:// or https:// prefix that <team>/<service>.git is appended to",
    cause,
  );
}
