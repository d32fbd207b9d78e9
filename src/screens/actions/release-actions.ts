import type { Release } from "../../provisioning/operations/releases.ts";
import { keyUnderCursor } from "../../state/lists.ts";
import { placeOf } from "../../state/ui.ts";
import type { Action, ActionContext } from "./action.ts";
import { openRun } from "./subject.ts";

/** The release under the cursor. */
function marked({ session }: ActionContext): Release | undefined {
  const number = keyUnderCursor(session);
  return session.stores.releases.getState().releases.find((each) => String(each.number) === number);
}

const noRelease = (context: ActionContext) =>
  marked(context) === undefined ? "no release is marked" : undefined;

/** What one does with the releases of a service. */
export const releaseActions: readonly Action[] = [
  {
    id: "release.take-back",
    keys: ["b"],
    title: "Roll back to this release: the service runs it again at once",
    category: "Service",
    on: ["releases"],
    hint: { word: "roll back to it", rank: 1 },
    disabledReason: (context) => {
      const release = marked(context);
      if (release === undefined) return "no release is marked";
      return release.current ? `release ${release.number} is what runs` : undefined;
    },
    run: (context) => {
      const place = placeOf(context.session.ui());
      const release = marked(context);
      if (place.screen === "service" && release !== undefined) {
        context.session.takeBack(place.service, release.number);
      }
    },
  },
  {
    id: "release.mark",
    keys: ["space", "m"],
    title: "Compare the others with this release; again: with the one that runs",
    category: "Service",
    on: ["releases"],
    hint: { word: "compare", rank: 2 },
    disabledReason: noRelease,
    run: (context) => {
      const release = marked(context);
      const place = placeOf(context.session.ui());
      if (release === undefined || place.screen !== "service") return;
      const { service } = place;
      const { number } = release;
      context.session.setUi((ui) => {
        const same = ui.markedRelease?.service === service && ui.markedRelease.number === number;
        return { ...ui, markedRelease: same ? undefined : { service, number }, notice: undefined };
      });
    },
  },
  {
    id: "release.run",
    keys: ["enter"],
    title: "Open the run that made the release",
    category: "Service",
    on: ["releases"],
    hint: { word: "its run", rank: 3 },
    disabledReason: noRelease,
    run: openRun,
  },
];
