import {
  adoptedAnnotation,
  databasesNamespace,
  instanceAnnotation,
  labels,
  providerAnnotation,
  systemNamespace,
} from "../../application/names.ts";
import { refText, type ServiceRef } from "../../application/service-ref.ts";
import type { ObjectMeta } from "../../cluster/object.ts";
import { isOver } from "../engine/decide.ts";
import { dataStoreNames, isBeside, isClaimOf, isSecretOf } from "../objects/namespace-contents.ts";
import type { ObjectEffect } from "../objects/objects.ts";
import { isProtected } from "../objects/protection.ts";
import { snapshotOfAnnotation, snapshotReason } from "../objects/snapshot.ts";
import { type Effect, effectKey } from "../runs/effect.ts";
import type { RunState } from "../runs/run.ts";
import { aboutService, isSameService } from "../runs/service-of-run.ts";
import type { Orphan } from "./orphan.ts";

/** A managed object, as a sweep sees it: without spec and status. */
export interface SeenObject {
  readonly effect: ObjectEffect;
  readonly metadata: ObjectMeta;
}

/** A repository that a run of the platform made. */
export interface SeenRepository {
  readonly url: string;
  /** `TEAM/SERVICE`. */
  readonly path: string;
  readonly run: string;
  /** Commits that did not come from the platform. */
  readonly foreignCommits: number;
}

/** All that {@link judge} works from. */
export interface Seen {
  readonly objects: readonly SeenObject[];
  readonly repositories: readonly SeenRepository[];
  /** By service: keys of the effects that its Application asks for, the Application's own among them. */
  readonly applications: ReadonlyMap<string, ReadonlySet<string>>;
  /** Those that share a namespace: `NAMESPACE/NAME`. */
  readonly sharing: ReadonlySet<string>;
  /** Runs of the services in question, newest first. */
  readonly runs: readonly RunState[];
  /** Names of all runs that there are. */
  readonly runNames: ReadonlySet<string>;
}

interface Verdict {
  readonly state: "orphan" | "kept";
  readonly reason: string;
  /** The run that the reason is about, where the object does not name its maker. */
  readonly run?: string;
}

/** The service an object was made for: by its label, else by its namespace; empty where neither says. Pure. */
export function serviceOf({ effect, metadata }: SeenObject): string {
  const told = metadata.labels?.[labels.service];
  if (told !== undefined) return told;
  const place = effect.type === "Namespace" ? effect.name : (effect.namespace ?? "");
  return place.startsWith("app-") ? place.slice("app-".length) : "";
}

/**
 * Whether an object is in a namespace that several services may share. Of what is there the operator keeps all but data stores in
 * order; of those outside of the cluster only what says where they are is seen. Pure.
 */
export function isShared({ namespace }: Pick<ObjectEffect, "namespace">): boolean {
  if (namespace === undefined || namespace === systemNamespace || namespace === databasesNamespace)
    return false;
  return !namespace.startsWith("app-");
}

/** The service that an object was made for, with its namespace. */
function placeOf(object: SeenObject): ServiceRef {
  const name = serviceOf(object);
  const { namespace = "" } = object.effect;
  return { name, namespace: isShared(object.effect) ? namespace : `app-${name}` };
}

/** What a person types for an effect. Pure. */
export function nameOf(effect: Effect): string {
  if (effect.kind === "workspace") return `${effect.provider}/${effect.instance}`;
  if (effect.kind !== "object") return `repository/${pathOf(effect.url)}`;
  const name = `${effect.type.toLowerCase()}/${effect.name}`;
  return effect.namespace === undefined ? name : `${effect.namespace}/${name}`;
}

/** `TEAM/SERVICE` of a repository's URL. Pure. */
export function pathOf(url: string): string {
  return url
    .replace(/\.git$/, "")
    .split("/")
    .slice(-2)
    .join("/");
}

/** The service of a repository's `TEAM/SERVICE`. Pure. */
export function serviceOfPath(path: string): string {
  return path.split("/").at(-1) ?? "";
}

/** Whether what the object belongs to accounts for it without a look at runs: its owner, who adopted it, its service's Application. Pure. */
export function isAccountedFor(
  object: SeenObject,
  { objects, applications, sharing, runNames }: Omit<Seen, "repositories" | "runs">,
): boolean {
  const { effect, metadata } = object;
  if (isShared(effect)) return sharing.has(refText(placeOf(object)));
  if (effect.namespace === databasesNamespace) {
    // What says where a database is accounts for it, and is judged itself.
    return objects.some((other) => other.metadata.annotations?.[instanceAnnotation] === effect.name);
  }
  const owners = metadata.ownerReferences ?? [];
  if (owners.length > 0) {
    // What a Run owns goes with it: unless nobody collects it.
    return owners.some(({ kind, name }) => kind !== "Run" || runNames.has(name));
  }
  const service = serviceOf(object);
  const application = applications.get(service);
  if (effect.namespace === systemNamespace) return runNames.has(runOf(object));
  if (metadata.annotations?.[adoptedAnnotation] !== undefined && application !== undefined) return true;
  if (application === undefined) return false;
  return (
    application.has(effectKey(effect)) ||
    (effect.type === "PersistentVolumeClaim" &&
      dataStoreNames(service).some(
        (store) =>
          isClaimOf(effect.name, store) &&
          application.has(effectKey({ ...statefulSet, namespace: `app-${service}`, name: store })),
      ))
  );
}

const statefulSet = { kind: "object", apiVersion: "apps/v1", type: "StatefulSet" } as const;

/** The run that an object of `platform-system` belongs to, or that made it elsewhere. */
function runOf({ effect, metadata }: SeenObject): string {
  const told = metadata.labels?.[labels.run];
  if (told !== undefined) return told;
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === "Run");
  if (owner !== undefined) return owner.name;
  return effect.namespace === systemNamespace && effect.type === "Lease" ? effect.name : "";
}

/** Runs of a service since it was last deleted, the deletion itself included; newest first. */
function sinceDeletion(runs: readonly RunState[]): readonly RunState[] {
  const deleted = runs.findIndex(({ operation, phase }) => operation === "delete" && phase === "Succeeded");
  return deleted === -1 ? runs : runs.slice(0, deleted + 1);
}

/** A data store's own objects, or a claim of it; not what uses it. */
function isOfDataStore(object: SeenObject): boolean {
  const component = object.metadata.labels?.[labels.component];
  return component === "database" || component === "cache";
}

function isGuardrail(object: SeenObject): boolean {
  return object.effect.type === "Namespace" || object.metadata.labels?.[labels.component] === "namespace";
}

/** Whether a deletion left data stores, and with them the namespace and what guards it. */
function keptData({ operation, phase, steps }: RunState): boolean {
  return (
    operation === "delete" && phase === "Succeeded" && !steps.some(({ id }) => id === "delete_namespace")
  );
}

/** What of a service's data stores a change took out of the Application; by StatefulSet name. */
function takenOut({ service, change, phase }: RunState): readonly string[] {
  if (phase !== "Succeeded" || change?.before === undefined || change.after === undefined) return [];
  const { before, after } = change;
  const gone = [
    before.database !== undefined && after.database === undefined,
    before.cache !== undefined && after.cache === undefined,
  ];
  return dataStoreNames(service).filter((_, index) => gone[index] === true);
}

/** What the journals say of something that nothing living asks for. */
function byRuns(
  runs: readonly RunState[],
  effect: Effect,
  object: SeenObject | undefined,
): Verdict | undefined {
  const recent = sinceDeletion(runs);
  const key = effectKey(effect);
  const failed = recent.find(
    ({ phase, orphans }) => phase === "RollbackFailed" && orphans.some((orphan) => effectKey(orphan) === key),
  );
  if (failed !== undefined) {
    return {
      state: "orphan",
      reason: `the roll back of ${failed.name} could not undo it`,
      run: failed.name,
    };
  }
  for (const run of recent) {
    const kept = run.steps
      .flatMap(({ effects }) => effects)
      .find((recorded) => recorded.state === "kept" && effectKey(recorded.effect) === key);
    if (kept !== undefined) {
      return {
        state: "kept",
        reason: `kept by ${run.name}: ${kept.reason ?? ""}`.replace(/: $/, ""),
        run: run.name,
      };
    }
    if (object !== undefined && keptData(run) && (isOfDataStore(object) || isGuardrail(object))) {
      const what = isOfDataStore(object)
        ? "it holds the service's data"
        : "it guards the data stores that were kept";
      return { state: "kept", reason: `kept by ${run.name}: ${what}`, run: run.name };
    }
    const store = takenOut(run).find((name) => effectIsOf(effect, name));
    if (store !== undefined) {
      return {
        state: "kept",
        reason: `kept by ${run.name}: it was taken out of the service, its data was not deleted`,
        run: run.name,
      };
    }
  }
  return undefined;
}

function effectIsOf(effect: Effect, store: string): boolean {
  if (effect.kind !== "object") return false;
  return (
    effect.name === store ||
    (effect.type === "Secret" && isSecretOf(effect.name, store)) ||
    (effect.type === "PersistentVolumeClaim" && isClaimOf(effect.name, store))
  );
}

/**
 * Whether an unfinished run of the service accounts for whatever is there of it: somebody works on it, or left it to be
 * resumed, retried or rolled back.
 */
function isBusy(runs: readonly RunState[]): boolean {
  return sinceDeletion(runs).some((run) => !isOver(run) && run.phase !== "RollbackFailed");
}

function verdictOn(object: SeenObject, seen: Seen, runs: readonly RunState[]): Verdict | undefined {
  const { effect, metadata } = object;
  const service = serviceOf(object);
  if (effect.namespace === systemNamespace) {
    return { state: "orphan", reason: `there is no run ${runOf(object) || "that it belongs to"}` };
  }
  const of = metadata.annotations?.[snapshotOfAnnotation];
  if (effect.type === "VolumeSnapshotContent" && of !== undefined) {
    return { state: "kept", reason: snapshotReason(of) };
  }
  if (isBusy(runs)) return undefined;
  if (isShared(effect)) {
    const what = refText(placeOf(object));
    return {
      state: "kept",
      reason: `kept of ${what}, which is no more; platform service delete ${what} --data-stores delete --confirm ${service} deletes it`,
    };
  }
  const told = byRuns(runs, effect, object);
  if (told !== undefined) return told;
  const maker = runOf(object);
  if (seen.applications.has(service)) {
    if (dataStoreNames(service).some((store) => isBeside(effect.name, store))) {
      return { state: "kept", reason: `another instance of what ${service} has: a restore has left it` };
    }
    return {
      state: "orphan",
      reason: `${service} has no use for it: neither its Application nor the standards ask for it`,
    };
  }
  const deleted = runs.find(({ operation, phase }) => operation === "delete" && phase === "Succeeded");
  if (deleted !== undefined) {
    return { state: "orphan", reason: `${deleted.name} deleted the service, and it is there all the same` };
  }
  const made = runs.find(({ name }) => name === maker);
  if (made?.phase === "RolledBack") {
    return { state: "orphan", reason: `${maker} is rolled back, and it is there all the same` };
  }
  const because = service === "" ? "nothing says which service it is for" : `there is no service ${service}`;
  if (maker === "") return { state: "orphan", reason: `${because}, and no run has made it` };
  return {
    state: "orphan",
    reason: made === undefined ? `${because}, and its run ${maker} is no more` : because,
  };
}

/** Data that is in an object or goes with it. */
function dataOf(object: SeenObject, objects: readonly SeenObject[]): readonly SeenObject[] {
  const { effect } = object;
  const holding = objects.filter(
    (other) => other.effect.type === "PersistentVolumeClaim" || providerIn(other) !== undefined,
  );
  if (effect.namespace === databasesNamespace) return [object];
  switch (effect.type) {
    case "PersistentVolumeClaim":
      return [object];
    case "VolumeSnapshotContent":
      return [object];
    case "Namespace":
      return holding.filter((other) => other.effect.namespace === effect.name);
    default:
      return providerIn(object) === undefined ? [] : [object];
  }
}

/** Who runs the data store that an object says is outside of the cluster; undefined for any other object. */
function providerIn({ metadata }: SeenObject): string | undefined {
  return metadata.annotations?.[providerAnnotation];
}

function dataLabel(object: SeenObject): string {
  const { effect, metadata } = object;
  const provider = providerIn(object);
  if (provider !== undefined) return `${provider} of ${effect.name}`;
  if (effect.namespace === databasesNamespace) return `database ${effect.name}`;
  if (effect.type === "PersistentVolumeClaim") return `volume claim ${effect.name}`;
  return `snapshot of ${metadata.annotations?.[snapshotOfAnnotation] ?? "a volume"}`;
}

/**
 * What of all that was seen nothing accounts for, and what was kept on purpose. An object is accounted for when it
 * belongs to the desired state of an Application, depends on another object, was adopted, or is of a service on
 * which a run is unfinished. Pure.
 */
export function judge(seen: Seen): readonly Orphan[] {
  const runsOf = Map.groupBy(seen.runs, ({ service }) => service);
  const objects = seen.objects.flatMap((object): readonly Orphan[] => {
    if (object.metadata.deletionTimestamp !== undefined || isAccountedFor(object, seen)) return [];
    const service = serviceOf(object);
    const about = aboutService(placeOf(object));
    const runs = (runsOf.get(service) ?? []).filter((run) => isSameService(run, about));
    const verdict = verdictOn(object, seen, runs);
    if (verdict === undefined) return [];
    const { uid, creationTimestamp = "" } = object.metadata;
    const data = dataOf(object, seen.objects);
    return [
      {
        name: nameOf(object.effect),
        effect: object.effect,
        ...(uid === undefined ? {} : { uid }),
        service,
        run: runOf(object) || (verdict.run ?? ""),
        createdAt: creationTimestamp,
        state: verdict.state,
        reason: verdict.reason,
        data: data.map(dataLabel),
        protected: [object, ...data].some(({ metadata }) => isProtected(metadata)),
      },
    ];
  });
  const repositories = seen.repositories.flatMap((repository): readonly Orphan[] => {
    const service = serviceOfPath(repository.path);
    const runs = (runsOf.get(service) ?? []).filter((run) => isSameService(run, { service }));
    if (seen.applications.has(service) || isBusy(runs)) return [];
    const effect: Effect = { kind: "repository", url: repository.url };
    const deleted = runs.find(({ operation, phase }) => operation === "delete" && phase === "Succeeded");
    const verdict: Verdict = byRuns(runs, effect, undefined) ??
      (deleted === undefined
        ? undefined
        : { state: "kept", reason: `kept by ${deleted.name}: a deletion keeps the service's source` }) ?? {
        state: "orphan",
        reason: `there is no service ${service}`,
      };
    const { foreignCommits } = repository;
    return [
      {
        name: nameOf(effect),
        effect,
        service,
        run: repository.run,
        createdAt: "",
        state: verdict.state,
        reason: verdict.reason,
        data:
          foreignCommits === 0
            ? []
            : [
                `${foreignCommits} ${foreignCommits === 1 ? "commit" : "commits"} that are not the platform's`,
              ],
        protected: false,
      },
    ];
  });
  return [...objects, ...repositories].sort(byPlace);
}

/** The same list, what is in a namespace of the same state told by the namespace alone. Pure. */
export function folded(found: readonly Orphan[]): readonly Orphan[] {
  const namespaceOf = (orphan: Orphan): string =>
    orphan.effect.kind !== "object" ? "" : (orphan.effect.namespace ?? "");
  const outer = new Map(
    found.flatMap((orphan) =>
      orphan.effect.kind === "object" && orphan.effect.type === "Namespace"
        ? [[`${orphan.effect.name} ${orphan.state}`, orphan] as const]
        : [],
    ),
  );
  const outside = (orphan: Orphan) => outer.get(`${namespaceOf(orphan)} ${orphan.state}`);
  const inside = Map.groupBy(found, outside);
  return found
    .filter((orphan) => outside(orphan) === undefined)
    .map((orphan) => {
      const contents = inside.get(orphan) ?? [];
      return contents.length === 0 ? orphan : { ...orphan, contains: contents.map(({ name }) => name) };
    });
}

function byPlace(a: Orphan, b: Orphan): number {
  if (a.state !== b.state) return a.state === "orphan" ? -1 : 1;
  const [one, other] = [`${a.service}\n${a.name}`, `${b.service}\n${b.name}`];
  return one < other ? -1 : one > other ? 1 : 0;
}
