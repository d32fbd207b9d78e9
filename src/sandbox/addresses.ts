import type { StoredObject } from "./api.ts";
import { ensureObject, isObject, type JsonObject, listAt, textAt } from "./json.ts";
import type { Registry } from "./registry.ts";

/** Gives a new Service its cluster address (10.96.0.0/16) and node ports, and keeps those of an existing one. */
export function allotAddress(
  registry: Registry,
  service: JsonObject,
  before: StoredObject | undefined,
): void {
  const spec = ensureObject(service, "spec");
  if (spec.type === "ExternalName") return;
  const earlier = textAt(before, "spec", "clusterIP");
  if (spec.clusterIP === undefined || spec.clusterIP === "") spec.clusterIP = earlier ?? free(registry);
  spec.clusterIPs = [spec.clusterIP];
  if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") return;
  const kept = new Map(
    listAt(before, "spec", "ports").map((port) => [
      textAt(port, "name"),
      isObject(port) ? port.nodePort : undefined,
    ]),
  );
  for (const port of listAt(spec, "ports").filter(isObject)) {
    if (port.nodePort !== undefined) continue;
    port.nodePort = kept.get(textAt(port, "name")) ?? next(registry, "nextNodePort", 30_000, 2_768);
  }
}

function free(registry: Registry): string {
  const number = next(registry, "nextAddress", 10, 65_000);
  return `10.96.${number >> 8}.${number & 255}`;
}

/** Counts on in the store, so that processes never give the same one twice. */
function next(registry: Registry, counter: string, first: number, size: number): number {
  const last = Number(registry.store.getState(counter) ?? "0");
  registry.store.setState(counter, String(last + 1));
  return first + (last % size);
}
