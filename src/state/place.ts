import type { RunName } from "../provisioning/runs/run.ts";
import type { ChangeKind } from "./change.ts";

/** The tabs of a service, in their order. */
export const serviceTabs = [
  "overview",
  "pods",
  "monitoring",
  "releases",
  "runs",
  "events",
  "logs",
  "yaml",
] as const;
export type ServiceTab = (typeof serviceTabs)[number];

/** Where a person is. The stack of places is the way back. */
export type Place =
  | { readonly screen: "services" }
  /** `service`: its key, which says where it is too (`serviceKey`), here and for a deletion; in all other places a name. */
  | { readonly screen: "service"; readonly service: string; readonly tab: ServiceTab }
  | { readonly screen: "wizard" }
  | {
      readonly screen: "change";
      readonly service: string;
      readonly kind: ChangeKind;
      /** For a scale: how many replicas more the form begins with. */
      readonly step?: 1 | -1;
    }
  | { readonly screen: "delete"; readonly service: string }
  | { readonly screen: "runs" }
  | { readonly screen: "run"; readonly run: RunName; readonly title: string }
  | { readonly screen: "log"; readonly run: RunName; readonly title: string }
  | { readonly screen: "rollback"; readonly run: RunName; readonly title: string; readonly service: string }
  | { readonly screen: "orphans" }
  /** The deletion of an orphan, by its name. */
  | { readonly screen: "cleanup"; readonly orphan: string; readonly service: string }
  | { readonly screen: "contexts" };

export type ScreenName = Place["screen"];

/** Where a key has a meaning of its own: a screen, or the tab of one whose rows are something else. */
export type Area = ScreenName | "releases";

/** The area a place is in. */
export function areaOf(place: Place): Area {
  return place.screen === "service" && place.tab === "releases" ? "releases" : place.screen;
}

/** Identity of a place's list, so that each keeps a cursor of its own. */
export function listOf(place: Place): string {
  switch (place.screen) {
    case "service":
      return `service/${place.service}/${place.tab}`;
    case "change":
      return `change/${place.service}/${place.kind}`;
    case "cleanup":
      return `cleanup/${place.orphan}`;
    case "delete":
      return `delete/${place.service}`;
    case "run":
    case "log":
    case "rollback":
      return `${place.screen}/${place.run}`;
    default:
      return place.screen;
  }
}
