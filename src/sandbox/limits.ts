import { ensureObject, isObject, type JsonObject, listAt, objectAt, textAt } from "./json.ts";
import type { Registry, WriteContext } from "./registry.ts";
import { keyOf, type ResourceInfo } from "./resources.ts";
import { canonicalQuantity, quantityNanos } from "./schema/quantity.ts";
import { failures, type Subject } from "./status.ts";

const bodies = function* (registry: Registry, resource: string, namespace: string): Generator<JsonObject> {
  for (const row of registry.store.rows(resource, { namespace, part: "body" })) {
    const parsed: unknown = JSON.parse(row.body);
    if (isObject(parsed)) yield parsed;
  }
};

const containersOf = (pod: JsonObject): readonly JsonObject[] =>
  [...listAt(pod, "spec", "initContainers"), ...listAt(pod, "spec", "containers")].filter(isObject);

const nanos = (value: unknown): bigint => quantityNanos(String(value)) ?? 0n;

/**
 * Fills in container resources from the namespace's LimitRanges and refuses what is outside them.
 * @throws ApiFailure 403.
 */
export function applyLimitRanges(
  registry: Registry,
  namespace: string,
  pod: JsonObject,
  subject: Subject,
): void {
  for (const range of bodies(registry, "/limitranges", namespace)) {
    for (const limit of listAt(range, "spec", "limits").filter(isObject)) {
      if (limit.type !== "Container") continue;
      for (const container of containersOf(pod)) applyLimit(limit, container, subject);
    }
  }
}

function applyLimit(limit: JsonObject, container: JsonObject, subject: Subject): void {
  const resources = ensureObject(container, "resources");
  for (const [field, source] of [
    ["limits", "default"],
    ["requests", "defaultRequest"],
  ] as const) {
    for (const [name, value] of Object.entries(objectAt(limit, source) ?? {})) {
      const amounts = ensureObject(resources, field);
      if (amounts[name] === undefined) amounts[name] = value;
    }
  }
  const checks = [
    ["max", "limits", "maximum", "limit", (actual: bigint, bound: bigint) => actual <= bound],
    ["min", "requests", "minimum", "request", (actual: bigint, bound: bigint) => actual >= bound],
  ] as const;
  for (const [bound, field, adjective, noun, holds] of checks) {
    for (const [name, value] of Object.entries(objectAt(limit, bound) ?? {})) {
      const actual = objectAt(resources, field)?.[name];
      if (actual === undefined) {
        throw failures.forbidden(
          subject,
          `${adjective} ${name} usage per Container is ${String(value)}.  No ${noun} is specified`,
        );
      }
      if (!holds(nanos(actual), nanos(value))) {
        throw failures.forbidden(
          subject,
          `${adjective} ${name} usage per Container is ${String(value)}, but ${noun} is ${String(actual)}`,
        );
      }
    }
  }
}

const objectCounts: Readonly<Record<string, string>> = {
  "/pods": "pods",
  "/services": "services",
  "/secrets": "secrets",
  "/configmaps": "configmaps",
  "/persistentvolumeclaims": "persistentvolumeclaims",
  "/resourcequotas": "resourcequotas",
  "/replicationcontrollers": "replicationcontrollers",
};

/** What an object uses of each thing a quota can limit, in billionths. */
function usageOf(resource: ResourceInfo, object: JsonObject): ReadonlyMap<string, bigint> {
  const one = 1_000_000_000n;
  const usage = new Map<string, bigint>([
    [`count/${resource.plural}${resource.group === "" ? "" : `.${resource.group}`}`, one],
  ]);
  const counted = objectCounts[resource.id];
  if (counted !== undefined) usage.set(counted, one);
  const add = (name: string, value: unknown) => usage.set(name, (usage.get(name) ?? 0n) + nanos(value));
  if (resource.id === "/persistentvolumeclaims") {
    add("requests.storage", objectAt(object, "spec", "resources", "requests")?.storage ?? "0");
  }
  if (resource.id === "/pods") {
    if (["Succeeded", "Failed"].includes(textAt(object, "status", "phase") ?? "")) return new Map();
    for (const container of listAt(object, "spec", "containers").filter(isObject)) {
      for (const name of ["cpu", "memory", "ephemeral-storage"]) {
        const request = objectAt(container, "resources", "requests")?.[name];
        const limit = objectAt(container, "resources", "limits")?.[name];
        if (request !== undefined) {
          add(`requests.${name}`, request);
          add(name, request);
        }
        if (limit !== undefined) add(`limits.${name}`, limit);
      }
    }
  }
  return usage;
}

const podAmounts = new Set([
  "cpu",
  "memory",
  "requests.cpu",
  "requests.memory",
  "limits.cpu",
  "limits.memory",
]);

/**
 * Charges a new object to the namespace's ResourceQuotas, whose `status.used` it raises.
 * @throws ApiFailure 403 `exceeded quota`.
 */
export function chargeQuota(
  registry: Registry,
  resource: ResourceInfo,
  namespace: string,
  object: JsonObject,
  subject: Subject,
  context: WriteContext,
): void {
  const quotas = [...bodies(registry, "/resourcequotas", namespace)];
  if (quotas.length === 0) return;
  const wanted = usageOf(resource, object);
  for (const quota of quotas) {
    const hard = objectAt(quota, "spec", "hard") ?? {};
    const name = textAt(quota, "metadata", "name") ?? "";
    if (resource.id === "/pods") requireAmounts(hard, wanted, name, subject);
    const limited = Object.keys(hard)
      .filter((limit) => wanted.has(limit))
      .sort();
    if (limited.length === 0) continue;
    const used = usedIn(registry, resource, namespace);
    const over = limited.filter(
      (limit) => (used.get(limit) ?? 0n) + (wanted.get(limit) ?? 0n) > nanos(hard[limit]),
    );
    if (over.length > 0) {
      const list = (amount: (limit: string) => string) =>
        over.map((limit) => `${limit}=${amount(limit)}`).join(",");
      throw failures.forbidden(
        subject,
        `exceeded quota: ${name}, requested: ${list((limit) => shown(wanted.get(limit)))}, used: ${list((limit) => shown(used.get(limit)))}, limited: ${list((limit) => String(hard[limit]))}`,
      );
    }
    if (!context.dryRun) recordUsage(registry, namespace, name, limited, used, wanted);
  }
}

function requireAmounts(
  hard: JsonObject,
  wanted: ReadonlyMap<string, bigint>,
  quota: string,
  subject: Subject,
): void {
  const missing = Object.keys(hard)
    .filter((limit) => podAmounts.has(limit) && !wanted.has(limit))
    .sort();
  if (missing.length > 0) {
    throw failures.forbidden(subject, `failed quota: ${quota}: must specify ${missing.join(",")}`);
  }
}

function usedIn(registry: Registry, resource: ResourceInfo, namespace: string): ReadonlyMap<string, bigint> {
  const used = new Map<string, bigint>();
  for (const object of bodies(registry, resource.id, namespace)) {
    for (const [name, amount] of usageOf(resource, object)) used.set(name, (used.get(name) ?? 0n) + amount);
  }
  return used;
}

function shown(amount: bigint | undefined): string {
  return canonicalQuantity(`${amount ?? 0n}n`) ?? "0";
}

function recordUsage(
  registry: Registry,
  namespace: string,
  name: string,
  limited: readonly string[],
  used: ReadonlyMap<string, bigint>,
  wanted: ReadonlyMap<string, bigint>,
): void {
  const info = registry.resources.byId("/resourcequotas");
  const stored = info === undefined ? undefined : registry.store.get(info.id, keyOf(info, namespace, name));
  if (info === undefined || stored === undefined) return;
  const quota: unknown = JSON.parse(stored);
  if (!isObject(quota)) return;
  const status = ensureObject(quota, "status");
  const amounts = ensureObject(status, "used");
  for (const limit of limited) amounts[limit] = shown((used.get(limit) ?? 0n) + (wanted.get(limit) ?? 0n));
  status.hard = objectAt(quota, "spec", "hard");
  const context: WriteContext = {
    manager: "kube-apiserver",
    dryRun: false,
    fieldValidation: "Ignore",
    warn: () => {},
  };
  registry.update(info, namespace, name, quota, context, "status");
}
