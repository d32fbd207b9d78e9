import { serviceNameSchema } from "../application/names.ts";
import { atRest, isOver } from "../provisioning/engine/decide.ts";
import type { Provisioner } from "../provisioning/provisioner.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import type { UseCases } from "./feeds/feed.ts";
import type { Stores } from "./stores.ts";
import { placeOf } from "./ui.ts";

/** What was asked for. */
interface Wanted {
  /** `scale checkout`. */
  readonly title: string;
  /** Empty where it is not known. */
  readonly service: string;
}

/** Two people on one service: what the second is told and offered. */
export interface OtherRuns {
  /**
   * Tells why something was not begun. Where another run is in the way, it says who runs what and offers to watch it,
   * to wait for it or to take it over.
   * @param again - begins it once the other run has come to rest, where a person waits for that
   */
  refused(error: unknown, wanted: Wanted, again: () => void): Promise<void>;
  /** What was asked for begins by itself once the run in the way has come to rest. */
  wait(): void;
}

/** What they need of the session. */
export interface OtherRunsOptions {
  readonly stores: Stores;
  readonly connected: () => UseCases | undefined;
  /** Tells any other error. */
  readonly fail: (error: unknown) => void;
}

/** The runs of others that are in the way in one session. */
export function createOtherRuns({ stores, connected, fail }: OtherRunsOptions): OtherRuns {
  let begin: () => void = () => {};

  /** Begins what was waited for, or shows why it cannot: the other run needs a person. */
  function came(): void {
    const { overlay } = stores.ui.getState();
    if (overlay?.kind !== "other-run" || !overlay.waiting) return;
    const state = stores.openRuns.getState().states[overlay.run];
    if (state === undefined || !atRest(state)) return;
    const over = isOver(state);
    stores.ui.setState({ overlay: over ? undefined : { ...overlay, waiting: false } });
    if (over) begin();
  }

  stores.openRuns.subscribe(came);
  return {
    async refused(error, { title, service }, again) {
      const cases = connected();
      const found =
        cases === undefined || service === ""
          ? undefined
          : await runInTheWay(error, service, cases.provisioner);
      if (found === undefined) {
        fail(error);
        return;
      }
      stores.openRuns.setState(({ states }) => ({ states: { ...states, [found.name]: found } }));
      const place = placeOf(stores.ui.getState());
      // Who looks at that very run already is told, and needs no way there.
      if (place.screen === "run" && place.run === found.name) {
        stores.ui.setState({
          notice: { text: error instanceof Error ? error.message : "", tone: "warn" },
        });
        return;
      }
      begin = again;
      stores.ui.setState({
        notice: undefined,
        overlay: { kind: "other-run", run: found.name, wanted: title, waiting: false },
      });
    },
    wait() {
      stores.ui.setState(({ overlay }) =>
        overlay?.kind === "other-run" ? { overlay: { ...overlay, waiting: true } } : {},
      );
      came();
    },
  };
}

/**
 * The unfinished run that a refusal is about: who is refused because of another run is told its name. Undefined where
 * the refusal has another reason, or where the runs cannot be read.
 */
async function runInTheWay(
  error: unknown,
  service: string,
  provisioner: Pick<Provisioner, "list">,
): Promise<RunState | undefined> {
  if (!(error instanceof Error) || error.name !== "ProvisioningError") return undefined;
  try {
    const runs = await provisioner.list({ service: serviceNameSchema.parse(service) });
    return runs.find((run) => !isOver(run) && error.message.includes(run.name));
  } catch {
    return undefined;
  }
}
