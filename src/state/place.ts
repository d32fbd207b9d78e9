import type { RunName } from "../provisioning/run.ts";

/** The tabs of a service, in their order. */
export const serviceTabs = ["overview", "pods", "monitoring", "runs", "events", "logs", "yaml"] as const;
export type ServiceTab = (typeof serviceTabs)[number];

/** Where a person is. The stack of places is the way back. */
export type Place =
  | { readonly screen: "services" }
  | { readonly screen: "service"; readonly service: string; readonly tab: ServiceTab }
  | { readonly screen: "wizard" }
  | { readonly screen: "runs" }
  | { readonly screen: "run"; readonly run: RunName; readonly title: string }
  | { readonly screen: "log"; readonly run: RunName; readonly title: string }
  | { readonly screen: "rollback"; readonly run: RunName; readonly title: string; readonly service: string }
  | { readonly screen: "contexts" };

export type ScreenName = Place["screen"];

/** Identity of a place's list, so that each keeps a cursor of its own. */
export function listOf(place: Place): string {
  switch (place.screen) {
    case "service":
      return `service/${place.service}/${place.tab}`;
    case "run":
    case "log":
    case "rollback":
      return `${place.screen}/${place.run}`;
    default:
      return place.screen;
  }
}
