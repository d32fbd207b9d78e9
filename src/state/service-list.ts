import { hasOwnNamespace } from "../application/service-ref.ts";
import { type Service, serviceKey, serviceOfKey } from "../services/service.ts";
import { filterOf, type ServiceSort, type Ui } from "./ui.ts";

/** Services in the order they are shown, with what tells each from all others as the list's keys. */
export interface VisibleServices {
  readonly services: readonly Service[];
  readonly keys: readonly string[];
  /** Characters of the longest name with its {@link tagOf}. */
  readonly nameWidth: number;
}

type Compare = (a: Service, b: Service) => number;

const ordered = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const byName: Compare = (a, b) => ordered(a.name, b.name) || ordered(a.namespace, b.namespace);
const newestFirst = (a: string, b: string) => (a > b ? -1 : a < b ? 1 : 0);

const compares: Readonly<Record<Exclude<ServiceSort, "need">, Compare>> = {
  name: byName,
  age: (a, b) => newestFirst(a.createdAt, b.createdAt) || byName(a, b),
  run: (a, b) => newestFirst(a.lastRun?.at ?? "", b.lastRun?.at ?? "") || byName(a, b),
};

/**
 * Whether a service answers to a filter: each word is in its key, team, verdict, reason, monitoring status or what stands
 * behind its name.
 */
export function matches(service: Service, filter: string): boolean {
  const { team, verdict, monitoring, reason } = service;
  const text =
    `${serviceKey(service)} ${team} ${verdict} ${monitoring.status} ${reason} ${tagOf(service)}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** What stands behind a name: that it runs the starter image, the namespace it shares, or that it is no service. */
export function tagOf(service: Service): string {
  const { kind, namespace, starter } = service;
  if (kind === "namespace") return "namespace";
  if (hasOwnNamespace(service)) return starter ? "starter" : "";
  return starter ? `${namespace} starter` : namespace;
}

/** The row with this {@link serviceKey}. Asked with every key that is pressed, of however many rows: no key is made. */
export function serviceAt(services: readonly Service[], key: string | undefined): Service | undefined {
  if (key === undefined) return undefined;
  const { name, namespace } = serviceOfKey(key);
  if (name === "") return services.find((each) => each.kind === "namespace" && each.namespace === namespace);
  return services.find(
    (each) => each.name === name && each.namespace === namespace && each.kind === "service",
  );
}

/** A selector that sorts and filters again only when the services, the sort or the filter have changed. */
export function visibleServices(): (
  services: readonly Service[],
  ui: Pick<Ui, "sort" | "filters">,
) => VisibleServices {
  let of: readonly Service[] | undefined;
  let sort: ServiceSort | undefined;
  let sorted: readonly Service[] = [];
  let filter: string | undefined;
  let result: VisibleServices = { services: [], keys: [], nameWidth: 0 };
  return (services, ui) => {
    const text = filterOf(ui, "services").entry.text.trim();
    const resort = of !== services || sort !== ui.sort;
    // The fleet comes sorted by need.
    if (resort) sorted = ui.sort === "need" ? services : services.toSorted(compares[ui.sort]);
    if (resort || filter !== text) {
      const shown = text === "" ? sorted : sorted.filter((service) => matches(service, text));
      let nameWidth = 0;
      const keys: string[] = [];
      for (const service of shown) {
        keys.push(serviceKey(service));
        const tag = tagOf(service).length;
        nameWidth = Math.max(nameWidth, service.name.length + (tag === 0 ? 0 : tag + 1));
      }
      result = { services: shown, keys, nameWidth };
    }
    of = services;
    sort = ui.sort;
    filter = text;
    return result;
  };
}

/** Lines a service takes on the dashboard: one more where something is to be said about it. */
export function serviceHeight(service: Service | undefined): number {
  return service === undefined || service.verdict === "healthy" || service.reason === "" ? 1 : 2;
}
