import { readdir } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { z } from "zod";
import { labels } from "../../src/application/names.ts";
import { resourceName } from "../../src/cluster/address.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { isClusterError } from "../../src/cluster/errors.ts";
import type { KubeObject } from "../../src/cluster/object.ts";

/** Everything there is at one moment: each object the cluster lists, and the folder of repositories. */
export interface Survey {
  /** By `resource.group namespace/name`. */
  readonly objects: ReadonlyMap<string, KubeObject>;
  /** Paths below the folder of repositories, those inside a repository left out. */
  readonly repositories: readonly string[];
}

/** Written by the cluster about itself at any time; no work of ours. */
const noise = new Set(["events", "componentstatuses", "endpointslices", "endpoints", "ipaddresses"]);

/** Lists every type the server serves, found by discovery, whole. */
export async function survey(cluster: Cluster, repositories: string): Promise<Survey> {
  const limit = pLimit(8);
  const found = new Map<string, KubeObject>();
  const listed = (await cluster.discover()).filter(({ plural }) => !noise.has(plural));
  await Promise.all(
    listed.map((resource) =>
      limit(async () => {
        let token: string | undefined;
        do {
          const page = await cluster
            .list(resource, { limit: 500, ...(token === undefined ? {} : { continue: token }) })
            .catch((error: unknown) => {
              // A definition removed since discovery, or a type that is listed by name only.
              if (isClusterError(error, "not-found", "invalid")) return { items: [], continue: undefined };
              throw error;
            });
          token = page.continue;
          for (const item of page.items) {
            const { namespace, name } = item.metadata;
            found.set(
              `${resourceName(resource)} ${namespace === undefined ? name : `${namespace}/${name}`}`,
              item,
            );
          }
        } while (token !== undefined);
      }),
    ),
  );
  return { objects: found, repositories: await foldersOf(repositories) };
}

async function foldersOf(root: string): Promise<readonly string[]> {
  const teams = await readdir(root).catch(() => []);
  const inside = await Promise.all(
    teams.map(async (team) =>
      (await readdir(join(root, team)).catch(() => [])).map((name) => `${team}/${name}`),
    ),
  );
  return inside.flat().sort();
}

/** What a survey holds of one service, without its runs and their Leases: those are the record, and stay. */
export function objectsOf(service: string, { objects }: Survey): readonly (readonly [string, KubeObject])[] {
  return [...objects].filter(([key, object]) => {
    if (/^(runs|leases)\./.test(key)) return false;
    return key.includes(service) || object.metadata.labels?.[labels.service] === service;
  });
}

/** The runs a survey holds of one service. */
export function runsOf(service: string, { objects }: Survey): readonly KubeObject[] {
  return [...objects]
    .filter(([key, { metadata }]) => key.startsWith("runs.") && metadata.labels?.[labels.service] === service)
    .map(([, object]) => object);
}

/** One thing there is, its text the same wherever it is the same but for what nobody chose. */
export interface Normalised {
  readonly key: string;
  readonly text: string;
}

/**
 * A service's objects so that two services that were brought to the same end are equal: without what a server, a
 * controller or chance chooses anew each time.
 * @param ownership - which fields are the platform's is compared too. What a rollback writes back has the values it
 *   had, and all of them are the platform's then, the server's defaults included.
 */
export function normalised(
  service: string,
  found: Survey,
  { ownership }: { readonly ownership: boolean },
): readonly Normalised[] {
  const objects = objectsOf(service, found)
    .filter(([, object]) => !isHistory(object))
    .map(([key, object]) => {
      const { status: _, metadata, ...rest } = object;
      const {
        uid: _u,
        resourceVersion: _r,
        creationTimestamp: _c,
        generation: _g,
        managedFields,
        ...named
      } = metadata;
      const text = JSON.stringify(
        {
          metadata: named,
          ...(ownership ? { owned: ownedByUs(managedFields ?? []) } : {}),
          ...(object.kind === "Secret" && "data" in rest ? { ...rest, data: shapeOf(rest.data) } : rest),
        },
        sorted,
      );
      return { key: neutral(key, service), text: neutral(text, service) };
    });
  const repositories = found.repositories
    .filter((path) => path.includes(service))
    .map((path) => ({ key: `repository ${neutral(path, service)}`, text: neutral(path, service) }));
  return [...objects, ...repositories];
}

const managerSchema = z.looseObject({ manager: z.string(), fieldsV1: z.unknown() });

/** The fields the platform holds, whether it applied or replaced the object. */
function ownedByUs(managedFields: readonly unknown[]): unknown {
  return managedFields
    .map((entry) => managerSchema.parse(entry))
    .filter(({ manager }) => manager === "platform")
    .map(({ fieldsV1 }) => fieldsV1)
    .reduce(united, {});
}

function united(a: unknown, b: unknown): unknown {
  const [some, more] = [entriesOf(a), entriesOf(b)];
  const both = new Map(some);
  for (const [key, value] of more) both.set(key, both.has(key) ? united(both.get(key), value) : value);
  return Object.fromEntries(both);
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** What a Deployment remembers of earlier rollouts. */
function isHistory({ kind, spec }: KubeObject): boolean {
  return kind === "ReplicaSet" && entriesOf(spec).some(([key, value]) => key === "replicas" && value === 0);
}

/** Secrets are generated: only that they are there can be compared. */
function shapeOf(data: unknown): unknown {
  return Object.fromEntries(
    entriesOf(data).map(([key, value]) => [key, String(value).length > 0 ? "<secret>" : ""]),
  );
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function neutral(text: string, service: string): string {
  return (
    text
      .replaceAll(
        new RegExp(`${service}-(create|scale|deploy|set|rollback|delete|cleanup)-[a-z0-9]{5}`, "g"),
        "<run>",
      )
      .replaceAll(
        new RegExp(
          `${service}(-db|-cache)?-(?:[0-9a-f]{7,10}|[bcdf-hj-np-tv-xz2456789]{6,10})(-[a-z0-9]{5})?\\b`,
          "g",
        ),
        "<service>$1-<hash>",
      )
      .replaceAll(/kube-api-access-[a-z0-9]{5}/g, "kube-api-access-<chosen>")
      .replaceAll(service, "<service>")
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uid>")
      .replaceAll(/"pod-template-hash":"[^"]*"/g, '"pod-template-hash":"<hash>"')
      // Of generated credentials.
      .replaceAll(
        /"platform\.company\.com\/credentials":"[^"]*"/g,
        '"platform.company.com/credentials":"<hash>"',
      )
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>")
      // A ReplicaSet that came back tells which revisions it has been.
      .replaceAll(/,"deployment\.kubernetes\.io\/revision-history":"[^"]*"/g, "")
      .replaceAll(
        /"(nodeName|clusterIP|controller-revision-hash|controller\.kubernetes\.io\/hash|deployment\.kubernetes\.io\/revision|volume\.kubernetes\.io\/selected-node)":"[^"]*"/g,
        '"$1":"<chosen>"',
      )
      .replaceAll(/"clusterIPs":\[[^\]]*\]/g, '"clusterIPs":"<chosen>"')
  );
}

/** How the second of two normalised lists differs from the first, for a person. */
export function unequal(wanted: readonly Normalised[], found: readonly Normalised[]): readonly string[] {
  const rest = [...found];
  const missing = wanted.filter(({ text }) => {
    const at = rest.findIndex((entry) => entry.text === text);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return [
    ...missing.map(({ key, text }) => {
      const other = rest.findIndex((entry) => entry.key === key);
      const [instead] = other < 0 ? [] : rest.splice(other, 1);
      return instead === undefined
        ? `${key} is missing`
        : `${key} is other: ${firstDifference(text, instead.text)}`;
    }),
    ...rest.map(({ key }) => `${key} is too much`),
  ];
}

function firstDifference(wanted: string, found: string): string {
  let at = 0;
  while (wanted[at] === found[at]) at += 1;
  const around = (text: string) => text.slice(Math.max(0, at - 60), at + 60);
  return `…${around(found)}… instead of …${around(wanted)}…`;
}
