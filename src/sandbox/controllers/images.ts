/**
 * How a simulated image behaves. Nothing is ever pulled or run: the image's name decides, so that people and
 * tests can choose what goes wrong.
 *
 * | image                                                             | what happens                              |
 * | ----------------------------------------------------------------- | ----------------------------------------- |
 * | registry ends in `.invalid`                                       | no such host: ImagePullBackOff            |
 * | name or tag contains `missing` or `does-not-exist`                | not found: ImagePullBackOff               |
 * | name or tag contains `private`                                    | pull access denied: ImagePullBackOff      |
 * | tag contains `crash`                                              | exits with 1: CrashLoopBackOff            |
 * | tag contains `oom`                                                | OOMKilled, exit code 137                  |
 * | tag contains `unready`                                            | runs, but its readiness probe never passes |
 * | tag contains `slow-pull`                                          | takes a minute to pull                    |
 * | tag contains `no-metrics`                                         | `/metrics` answers 404                    |
 * | tag contains `errors`                                             | alerts about errors fire                  |
 * | tag contains `latency`                                            | alerts about latency fire                 |
 * | not a valid image reference                                       | InvalidImageName                          |
 */
export interface ImageBehaviour {
  /** Why it cannot be pulled, as a container runtime says it. */
  readonly pullError: string | undefined;
  readonly invalidName: boolean;
  /** What ends the container a second after its start. */
  readonly exit: { readonly code: number; readonly reason: string } | undefined;
  readonly ready: boolean;
  readonly slowPull: boolean;
  readonly metrics: boolean;
  readonly errors: boolean;
  readonly latency: boolean;
}

/** An image reference taken apart. */
export interface ImageReference {
  readonly registry: string;
  readonly repository: string;
  /** Empty when there is a digest only. */
  readonly tag: string;
  /** With the registry and tag that are understood when left out. */
  readonly full: string;
}

const reference =
  /^(?:([a-zA-Z0-9.-]+(?::[0-9]+)?)\/)?([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([\w][\w.-]{0,127}))?(@sha256:[0-9a-f]{64})?$/;

/** Undefined for a text that is no image reference. */
export function parseImage(image: string): ImageReference | undefined {
  const found = reference.exec(image);
  if (found === null) return undefined;
  const [, host, path = "", tag, digest = ""] = found;
  const isHost = host !== undefined && (/[.:]/.test(host) || host === "localhost");
  const registry = isHost ? host : "docker.io";
  const name = isHost || host === undefined ? path : `${host}/${path}`;
  const repository = registry === "docker.io" && !name.includes("/") ? `library/${name}` : name;
  const effective = tag ?? (digest === "" ? "latest" : "");
  const full = `${registry}/${repository}${effective === "" ? "" : `:${effective}`}${digest}`;
  return { registry, repository, tag: effective, full };
}

/** What the table above says about an image. */
export function behaviourOf(image: string): ImageBehaviour {
  const parsed = parseImage(image);
  const tag = parsed?.tag ?? "";
  const exit = tag.includes("oom")
    ? { code: 137, reason: "OOMKilled" }
    : tag.includes("crash")
      ? { code: 1, reason: "Error" }
      : undefined;
  return {
    pullError: parsed === undefined ? undefined : pullError(parsed),
    invalidName: parsed === undefined,
    exit,
    ready: !tag.includes("unready"),
    slowPull: tag.includes("slow-pull"),
    metrics: !tag.includes("no-metrics"),
    errors: tag.includes("errors"),
    latency: tag.includes("latency"),
  };
}

function pullError({ registry, repository, tag, full }: ImageReference): string | undefined {
  const failed = `failed to pull and unpack image "${full}": failed to resolve reference "${full}"`;
  const host = registry.replace(/:[0-9]+$/, "");
  if (host.endsWith(".invalid")) {
    const manifest = `https://${registry}/v2/${repository}/manifests/${tag}`;
    return `rpc error: code = Unknown desc = ${failed}: failed to do request: Head "${manifest}": dial tcp: lookup ${host}: no such host`;
  }
  const name = `${repository}:${tag}`;
  if (name.includes("missing") || name.includes("does-not-exist")) {
    return `rpc error: code = NotFound desc = ${failed}: ${full}: not found`;
  }
  if (name.includes("private")) {
    return `rpc error: code = Unknown desc = ${failed}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`;
  }
  return undefined;
}
