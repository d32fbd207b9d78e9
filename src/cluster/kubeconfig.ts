import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { cleanText } from "./text.ts";

const execSchema = z.looseObject({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: z.string().nullish(),
  provideClusterInfo: z.boolean().nullish(),
  interactiveMode: z.enum(["Never", "IfAvailable", "Always"]).nullish(),
});

/** Line breaks are allowed in it, as for kubectl. */
const base64 = z
  .string()
  .transform((text) => text.replace(/\s/g, ""))
  .pipe(z.base64());

const userSchema = z.looseObject({
  token: z.string().nullish(),
  tokenFile: z.string().nullish(),
  username: z.string().nullish(),
  password: z.string().nullish(),
  "client-certificate": z.string().nullish(),
  "client-certificate-data": base64.nullish(),
  "client-key": z.string().nullish(),
  "client-key-data": base64.nullish(),
  as: z.string().nullish(),
  "as-groups": z.array(z.string()).nullish(),
  exec: execSchema.nullish(),
  "auth-provider": z.looseObject({ name: z.string() }).nullish(),
});

const clusterSchema = z.looseObject({
  server: z.url({ protocol: /^https?$/ }),
  "certificate-authority": z.string().nullish(),
  "certificate-authority-data": base64.nullish(),
  "insecure-skip-tls-verify": z.boolean().nullish(),
  "tls-server-name": z.string().nullish(),
  "proxy-url": z.string().nullish(),
});

const contextSchema = z.looseObject({
  cluster: z.string(),
  user: z.string().nullish(),
  namespace: z.string().nullish(),
});

const kubeconfigSchema = z.looseObject({
  "current-context": z.string().nullish(),
  clusters: z.array(z.looseObject({ name: z.string(), cluster: clusterSchema })).nullish(),
  users: z.array(z.looseObject({ name: z.string(), user: userSchema.nullish() })).nullish(),
  contexts: z.array(z.looseObject({ name: z.string(), context: contextSchema })).nullish(),
});

export type KubeconfigUser = z.output<typeof userSchema>;
export type KubeconfigCluster = z.output<typeof clusterSchema>;
export type KubeconfigContext = z.output<typeof contextSchema>;
export type KubeconfigExec = z.output<typeof execSchema>;

/** A kubeconfig that cannot be used. `message` names the file, with line and field where one is wrong. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

/** An entry and the folder of the file it stands in, which relative paths start from. */
interface Entry<T> {
  readonly value: T;
  readonly folder: string;
}

/** What one or several kubeconfig files say; of entries with one name the first counts, as for kubectl. */
export interface Kubeconfig {
  /** For messages: the file or files. */
  readonly source: string;
  readonly currentContext: string | undefined;
  readonly contexts: ReadonlyMap<string, Entry<KubeconfigContext>>;
  readonly clusters: ReadonlyMap<string, Entry<KubeconfigCluster>>;
  readonly users: ReadonlyMap<string, Entry<KubeconfigUser>>;
}

/** The files kubectl would read: `path`, else those of KUBECONFIG, else `~/.kube/config`. */
export function kubeconfigPaths(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (path !== undefined) return [resolve(path)];
  const listed = (environment.KUBECONFIG ?? "").split(delimiter).filter((entry) => entry !== "");
  if (listed.length > 0) return listed.map((entry) => resolve(entry));
  return [join(environment.HOME ?? homedir(), ".kube", "config")];
}

/**
 * Reads and merges kubeconfig files. Of several, missing ones are left out, as kubectl does.
 *
 * Our own reading, because the Kubernetes client library's costs 430 ms at start-up (yaml and zod, which are
 * loaded anyway: 3 ms) and its errors name neither line nor field.
 * @throws KubeconfigError
 */
export async function readKubeconfig(paths: readonly string[]): Promise<Kubeconfig> {
  const contexts = new Map<string, Entry<KubeconfigContext>>();
  const clusters = new Map<string, Entry<KubeconfigCluster>>();
  const users = new Map<string, Entry<KubeconfigUser>>();
  let currentContext: string | undefined;
  let found = 0;
  for (const path of paths) {
    const text = await readOne(path, paths.length > 1);
    if (text === undefined) continue;
    found++;
    const file = parseKubeconfig(text, path);
    const folder = dirname(path);
    currentContext ??= file["current-context"] || undefined;
    for (const { name, context } of file.contexts ?? []) add(contexts, name, { value: context, folder });
    for (const { name, cluster } of file.clusters ?? []) add(clusters, name, { value: cluster, folder });
    for (const { name, user } of file.users ?? []) add(users, name, { value: user ?? {}, folder });
  }
  const source = paths.join(", ");
  if (found === 0) throw new KubeconfigError(`no kubeconfig: none of ${source} exists`);
  return { source, currentContext, contexts, clusters, users };
}

function add<T>(map: Map<string, Entry<T>>, name: string, entry: Entry<T>): void {
  if (!map.has(name)) map.set(name, entry);
}

async function readOne(path: string, mayBeMissing: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" && mayBeMissing) return undefined;
    const why =
      code === "ENOENT"
        ? "it does not exist"
        : code === "EACCES"
          ? "you may not read it"
          : code === "EISDIR"
            ? "it is a folder"
            : String(code ?? error);
    throw new KubeconfigError(`cannot read kubeconfig ${path}: ${why}`);
  }
}

/** Parses one file's text. @throws KubeconfigError with line and field */
function parseKubeconfig(text: string, path: string): z.output<typeof kubeconfigSchema> {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line } = counter.linePos(syntax.pos[0]);
    // The parser's message may quote the line, which may hold a token: its code says enough.
    throw new KubeconfigError(`kubeconfig ${path}, line ${line}: not valid YAML (${syntax.code})`);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    throw new KubeconfigError(`kubeconfig ${path}: its aliases name nothing, or multiply beyond measure`);
  }
  const parsed = kubeconfigSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path ?? [];
  const node = document.getIn(where, true);
  const start =
    typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)
      ? node.range[0]
      : undefined;
  const line = typeof start === "number" ? `, line ${counter.linePos(start).line}` : "";
  const field = where.length === 0 ? "" : `, ${where.join(".")}`;
  throw new KubeconfigError(
    `kubeconfig ${path}${line}${field}: ${cleanText(issue?.message ?? "not a kubeconfig")}`,
  );
}
