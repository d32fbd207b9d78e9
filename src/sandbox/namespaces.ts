import type { ChangeFeed } from "./change-feed.ts";
import { listAt, textAt } from "./json.ts";
import { type Running, whileLeading } from "./leading.ts";
import type { Registry, WriteContext } from "./registry.ts";
import { ApiFailure } from "./status.ts";

const context: WriteContext = {
  manager: "kube-controller-manager",
  dryRun: false,
  fieldValidation: "Ignore",
  warn: () => {},
};

/** Empties terminating namespaces, and lets them go when they are. */
export function startNamespaceController(
  registry: Registry,
  feed: ChangeFeed,
  leads: () => boolean,
): Running {
  const waiting = new Set<string>();
  let scheduled: NodeJS.Immediate | undefined;
  const work = () => {
    scheduled = undefined;
    const names = [...waiting];
    waiting.clear();
    for (const name of names) terminate(registry, name);
  };
  const wake = (name: string) => {
    waiting.add(name);
    scheduled ??= setImmediate(work);
  };
  const terminating = new Set<string>();
  const running = whileLeading(feed, leads, {
    catchUp() {
      for (const row of registry.store.rows("/namespaces", { part: "meta" })) {
        if (!row.meta.includes('"deletionTimestamp"')) continue;
        terminating.add(row.key);
        wake(row.key);
      }
    },
    onChange(change) {
      if (change.resource === "/namespaces") {
        const { metadata } = change.object;
        if (change.type === "DELETED") terminating.delete(metadata.name);
        else if (metadata.deletionTimestamp !== undefined) {
          terminating.add(metadata.name);
          wake(metadata.name);
        }
        return;
      }
      const slash = change.key.indexOf("/");
      const namespace = slash === -1 ? "" : change.key.slice(0, slash);
      if (change.type === "DELETED" && terminating.has(namespace)) wake(namespace);
    },
  });
  return {
    stop() {
      running.stop();
      if (scheduled !== undefined) clearImmediate(scheduled);
    },
  };
}

function terminate(registry: Registry, name: string): void {
  registry.transaction(() => {
    const namespaces = registry.resources.byId("/namespaces");
    const namespace = namespaces === undefined ? undefined : registry.get(namespaces, undefined, name);
    if (namespaces === undefined || namespace?.metadata.deletionTimestamp === undefined) return;
    const remaining = new Map<string, number>();
    const held = new Map<string, number>();
    for (const id of registry.store.resourcesIn(name)) {
      const resource = registry.resources.byId(id);
      if (resource === undefined || !resource.namespaced) continue;
      for (const row of [...registry.store.rows(id, { namespace: name, part: "meta" })]) {
        if (!row.meta.includes('"deletionTimestamp"')) {
          try {
            registry.delete(
              resource,
              name,
              row.key.slice(name.length + 1),
              { propagation: "Background" },
              context,
            );
          } catch (error) {
            if (!(error instanceof ApiFailure && error.code === 404)) throw error;
          }
        }
      }
      for (const row of registry.store.rows(id, { namespace: name, part: "meta" })) {
        const kind = `${resource.plural}.${resource.group}`;
        remaining.set(kind, (remaining.get(kind) ?? 0) + 1);
        for (const finalizer of listAt(JSON.parse(row.meta), "finalizers")) {
          held.set(String(finalizer), (held.get(String(finalizer)) ?? 0) + 1);
        }
      }
    }
    const current = registry.require(namespaces, undefined, name);
    if (remaining.size > 0) return report(registry, current.metadata.name, remaining, held);
    const finalizers = listAt(current, "spec", "finalizers").filter(
      (finalizer) => finalizer !== "kubernetes",
    );
    if (finalizers.length === listAt(current, "spec", "finalizers").length) return;
    registry.update(namespaces, undefined, name, { ...current, spec: { finalizers } }, context, "finalize");
  });
}

/** Says in the namespace's conditions what still holds it, as a real one does. */
function report(
  registry: Registry,
  name: string,
  remaining: ReadonlyMap<string, number>,
  held: ReadonlyMap<string, number>,
): void {
  const namespaces = registry.resources.byId("/namespaces");
  if (namespaces === undefined) return;
  const namespace = registry.require(namespaces, undefined, name);
  const lastTransitionTime = textAt(namespace, "metadata", "deletionTimestamp");
  const list = (counts: ReadonlyMap<string, number>, verb: string) =>
    [...counts].map(([what, count]) => `${what} ${verb} ${count} resource instances`).join(", ");
  const condition = (type: string, status: boolean, reason: string, message: string) => ({
    type,
    status: status ? "True" : "False",
    reason,
    message,
    lastTransitionTime,
  });
  const conditions = [
    condition(
      "NamespaceDeletionDiscoveryFailure",
      false,
      "ResourcesDiscovered",
      "All resources successfully discovered",
    ),
    condition(
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    condition(
      "NamespaceDeletionContentFailure",
      false,
      "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization",
    ),
    condition(
      "NamespaceContentRemaining",
      true,
      "SomeResourcesRemain",
      `Some resources are remaining: ${list(remaining, "has")}`,
    ),
    held.size > 0
      ? condition(
          "NamespaceFinalizersRemaining",
          true,
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${list(held, "in")}`,
        )
      : condition(
          "NamespaceFinalizersRemaining",
          false,
          "ContentHasNoFinalizers",
          "All content-preserving finalizers finished",
        ),
  ];
  const status = { phase: "Terminating", conditions };
  registry.update(namespaces, undefined, name, { ...namespace, status }, context, "status");
}
