import type { Service } from "../services/service.ts";
import { filterOf, type ServiceSort, type Ui } from "./ui.ts";

/** Services in the order they are shown, with their names as the list's keys. */
export interface VisibleServices {
  readonly services: readonly Service[];
  readonly keys: readonly string[];
  /** Characters of the longest name, with ` starter` behind those that run the starter image. */
  readonly nameWidth: number;
}

type Compare = (a: Service, b: Service) => number;

const byName: Compare = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const newestFirst = (a: string, b: string) => (a > b ? -1 : a < b ? 1 : 0);

const compares: Readonly<Record<Exclude<ServiceSort, "need">, Compare>> = {
  name: byName,
  age: (a, b) => newestFirst(a.createdAt, b.createdAt) || byName(a, b),
  run: (a, b) => newestFirst(a.lastRun?.at ?? "", b.lastRun?.at ?? "") || byName(a, b),
};

/** Whether a service answers to a filter: each word is in its name, team, verdict, reason or monitoring status. */
export function matches(service: Service, filter: string): boolean {
  const { name, team, verdict, monitoring, reason, starter } = service;
  const text =
    `${name} ${team} ${verdict} ${monitoring.status} ${reason} ${starter ? "starter" : ""}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
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
      for (const { name, starter } of shown) {
        keys.push(name);
        nameWidth = Math.max(nameWidth, name.length + (starter ? 8 : 0));
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
