import type { RunName } from "../../provisioning/runs/run.ts";
import type { Place } from "../place.ts";
import { tellInOneLine } from "../problem.ts";
import { feedDetail } from "./detail.ts";
import type { Feed } from "./feed.ts";
import { feedHolders } from "./holders.ts";
import { feedCleanup, feedOrphans } from "./orphans.ts";
import { feedReleases } from "./releases.ts";
import { feedRun } from "./run.ts";
import { feedRuns } from "./runs.ts";
import { feedSubject } from "./subject.ts";

/** What fills the stores that a place shows; undefined where others do already. */
export function feedOf(
  place: Place,
  {
    own,
    contexts,
    onScreen,
  }: {
    /** Runs of this process, which tell of themselves. */
    readonly own: { has(run: RunName): boolean };
    /** Names of the contexts one could change to. */
    readonly contexts: () => Promise<readonly string[]>;
    /** Names of the runs that have a row on the screen, or whose service has. */
    readonly onScreen: () => ReadonlySet<string>;
  },
): Feed | undefined {
  switch (place.screen) {
    case "services":
      return feedHolders(onScreen);
    case "runs":
      return feedRuns(onScreen);
    case "run":
    case "log":
      return own.has(place.run) ? undefined : feedRun(place.run);
    case "service":
      if (place.tab === "releases") return feedReleases(place.service);
      if (place.tab === "runs") return feedRuns(onScreen);
      return both(feedDetail(place.service, place.tab), feedHolders(onScreen));
    case "change":
      return feedSubject(place);
    case "rollback":
      return feedRollback(place.run);
    case "orphans":
      return feedOrphans;
    case "cleanup":
      return feedCleanup(place.orphan);
    case "contexts":
      return feedContexts(contexts);
    default:
      return undefined;
  }
}

function both(one: Feed, other: Feed): Feed {
  return async (...args) => {
    await Promise.all([one(...args), other(...args)]);
  };
}

function feedContexts(contexts: () => Promise<readonly string[]>): Feed {
  return async (stores) => {
    try {
      stores.contexts.setState({ status: "ready", names: await contexts(), error: undefined });
    } catch (error) {
      stores.contexts.setState({ status: "ready", error: tellInOneLine(error) });
    }
  };
}

/** What a rollback would do, asked for anew with each choice about data stores. */
function feedRollback(run: RunName): Feed {
  return async (stores, { provisioner }, signal) => {
    const { rollback, ui } = stores;
    rollback.setState({ status: "loading", preview: undefined, problem: undefined });
    try {
      const preview = await provisioner.previewRollback(run, ui.getState().dataStores);
      if (!signal.aborted) rollback.setState({ status: "ready", preview, problem: undefined });
    } catch (error) {
      if (!signal.aborted) {
        rollback.setState({ status: "refused", preview: undefined, problem: tellInOneLine(error) });
      }
    }
  };
}
