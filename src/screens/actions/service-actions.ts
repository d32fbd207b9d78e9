import { listStart } from "../../state/list.ts";
import { type Area, type ServiceTab, serviceTabs } from "../../state/place.ts";
import { filterOf, go, placeOf, replacePlace, serviceSorts, withFilter } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { noService, serviceOf } from "./subject.ts";

function openService(tab: ServiceTab): (context: ActionContext) => void {
  return (context) => {
    const service = serviceOf(context);
    if (service === undefined) return;
    context.session.setUi((ui) =>
      placeOf(ui).screen === "service"
        ? replacePlace(ui, { screen: "service", service, tab })
        : go(ui, { screen: "service", service, tab }),
    );
  };
}

function turnTab(step: number): (context: ActionContext) => void {
  return ({ session }) => {
    const place = placeOf(session.ui());
    if (place.screen !== "service") return;
    const index = (serviceTabs.indexOf(place.tab) + step + serviceTabs.length) % serviceTabs.length;
    const tab = serviceTabs[index] ?? "overview";
    session.setUi((ui) => replacePlace(ui, { ...place, tab }));
  };
}

const aboutService: readonly Area[] = ["services", "service", "releases"];
const tabs: readonly Area[] = ["service", "releases"];

/** What one does with services. */
export const serviceActions: readonly Action[] = [
  {
    id: "service.new",
    keys: ["n"],
    title: "New service",
    category: "Service",
    on: [...aboutService, "runs"],
    hint: { word: "new", rank: 1 },
    run: ({ session }) => session.setUi((ui) => go(ui, { screen: "wizard" })),
  },
  {
    id: "service.open",
    keys: ["enter"],
    title: "Open the service",
    category: "Service",
    on: ["services"],
    hint: { word: "open", rank: 2 },
    disabledReason: noService,
    run: openService("overview"),
  },
  {
    id: "services.filter",
    keys: ["/"],
    title: "Filter the services",
    category: "Service",
    on: ["services"],
    hint: { word: "filter", rank: 4 },
    run: ({ session }) =>
      session.setUi((ui) => withFilter(ui, "services", { ...filterOf(ui, "services"), editing: true })),
  },
  {
    id: "services.sort",
    keys: ["s"],
    title: "Sort by need, name, age or last run",
    category: "Service",
    on: ["services"],
    run: ({ session }) => {
      const { sort } = session.ui();
      const following = serviceSorts[(serviceSorts.indexOf(sort) + 1) % serviceSorts.length] ?? "need";
      const words = {
        need: "what needs a person first",
        name: "name",
        age: "youngest first",
        run: "latest run first",
      };
      session.setUi((ui) => ({
        ...ui,
        sort: following,
        lists: { ...ui.lists, services: listStart },
        notice: { text: `sorted by ${words[following]}`, tone: "info" },
      }));
    },
  },
  ...(
    [
      ["service.describe", "d", "Describe the service", "overview"],
      ["service.logs", "l", "Logs of the service", "logs"],
      ["service.yaml", "y", "YAML of the service", "yaml"],
    ] as const
  ).map(
    ([id, key, title, tab]): Action => ({
      id,
      keys: [key],
      title,
      category: "Service",
      on: aboutService,
      disabledReason: noService,
      run: openService(tab),
      ...(tab === "logs" ? { hint: { word: "logs", rank: 5 } } : {}),
    }),
  ),
  {
    id: "service.next-tab",
    keys: ["tab", "right"],
    title: "Next tab",
    category: "Move",
    on: tabs,
    unlisted: true,
    hint: { word: "next tab", rank: 1 },
    run: turnTab(1),
  },
  {
    id: "service.previous-tab",
    keys: ["shift-tab", "left"],
    title: "Previous tab",
    category: "Move",
    on: tabs,
    unlisted: true,
    run: turnTab(-1),
  },
  ...serviceTabs.map(
    (tab, index): Action => ({
      id: `service.tab-${tab}`,
      keys: [String(index + 1)],
      title: `Tab ${tab}`,
      category: "Move",
      on: tabs,
      unlisted: true,
      run: openService(tab),
    }),
  ),
];
