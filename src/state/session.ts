import { alertNames } from "../application/request.ts";
import type { Execution, RunName, RunState } from "../provisioning/run.ts";
import type { Service } from "../services/service.ts";
import { type CommandLine, createWords } from "./command-line.ts";
import { feedDetail } from "./feeds/detail.ts";
import type { Feed, UseCases } from "./feeds/feed.ts";
import { feedRun, runWriter } from "./feeds/run.ts";
import { feedRuns } from "./feeds/runs.ts";
import { feedTicking } from "./feeds/ticking.ts";
import { listOf, type Place } from "./place.ts";
import { tell, tellInOneLine } from "./problem.ts";
import { type VisibleServices, visibleServices } from "./service-list.ts";
import { createStores, noPlan, type Stores } from "./stores.ts";
import type { Timers } from "./throttle.ts";
import { type Notice, placeOf, replacePlace, type Ui } from "./ui.ts";
import { draftOf, newWizard, requestOf, type WizardFacts } from "./wizard.ts";

/** What the app is started with. */
export interface SessionOptions {
  /** Known before anything has answered: for the first frame. */
  readonly context: string;
  readonly simulated: boolean;
  readonly commandLine: CommandLine;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timers: Timers;
  /** Fills the dashboard. */
  readonly fleet: Feed;
  /** Names of the contexts one could change to. */
  readonly contexts: () => Promise<readonly string[]>;
  /** Connects to another context; the old connection is closed by who opened it. */
  readonly openContext: (name: string) => Promise<UseCases>;
}

/**
 * One person's sitting at the app: the stores, and everything a key can set in motion. It knows no framework;
 * screens draw the stores and the action table calls these methods.
 */
export interface Session {
  readonly stores: Stores;
  readonly commandLine: CommandLine;
  readonly now: () => number;
  /** Resolves with the exit code once the person leaves. */
  readonly left: Promise<number>;
  /** Starts the feeds once the use cases are there; a failure is shown, with a way to try again. */
  connect(useCases: Promise<UseCases>): Promise<void>;
  /** What the wizard's answers are checked against. */
  facts(): WizardFacts;
  /** The dashboard's services as they are sorted and filtered now. */
  visible(): VisibleServices;
  ui(): Ui;
  setUi(change: (ui: Ui) => Ui): void;
  notify(notice: Notice): void;
  /** The plan of the wizard's request, for its last page. */
  previewPlan(): void;
  /** Creates the service of the wizard and shows its run. */
  create(): void;
  retry(run: RunName): void;
  rollback(run: RunName, title: string): void;
  /** Finishes the write in hand and leaves the run for anybody to go on with. */
  interrupt(run: RunName): Promise<void>;
  /** Asks again for what the place shows. */
  reload(): void;
  changeContext(name: string): void;
  /** Leaves the app. Runs of this process are brought to rest first. */
  leave(code: number): Promise<void>;
}

/** Opens a session; nothing is asked of a cluster before {@link Session.connect}. */
export function createSession(options: SessionOptions): Session {
  const stores = createStores({
    context: options.context,
    simulated: options.simulated,
    now: options.now(),
  });
  const own = new Map<RunName, Execution>();
  const left = Promise.withResolvers<number>();
  const life = new AbortController();
  let useCases: UseCases | undefined;
  let connection = new AbortController();
  let shown = new AbortController();
  let shownKey = "";
  /** Settles once what a key has begun is an execution of ours, or was refused. */
  let starting: Promise<void> = Promise.resolve();

  const visible = visibleServices();

  const setUi = (change: (ui: Ui) => Ui) => stores.ui.setState(change);
  const notify = (notice: Notice) => stores.ui.setState({ notice });
  const fail = (error: unknown) => notify({ text: tellInOneLine(error), tone: "error" });

  /** Runs the feed of the place that is shown, and no other. */
  function follow(force = false): void {
    const place = placeOf(stores.ui.getState());
    const key = `${listOf(place)}:${stores.ui.getState().dataStores}`;
    if (useCases === undefined || (key === shownKey && !force)) return;
    shownKey = key;
    shown.abort();
    shown = new AbortController();
    const feed = feedOf(place);
    if (feed !== undefined) start(feed, useCases, shown.signal);
  }

  function start(feed: Feed, cases: UseCases, signal: AbortSignal): void {
    feed(stores, cases, signal).catch((error: unknown) => {
      if (!signal.aborted) fail(error);
    });
  }

  function feedOf(place: Place): Feed | undefined {
    switch (place.screen) {
      case "runs":
        return feedRuns;
      case "run":
      case "log":
        return own.has(place.run) ? undefined : feedRun(place.run);
      case "service":
        return place.tab === "runs" ? feedRuns : feedDetail(place.service, place.tab);
      case "rollback":
        return feedRollback(place.run);
      case "contexts":
        return feedContexts;
      default:
        return undefined;
    }
  }

  const feedContexts: Feed = async () => {
    try {
      stores.contexts.setState({ status: "ready", names: await options.contexts(), error: undefined });
    } catch (error) {
      stores.contexts.setState({ status: "ready", error: tellInOneLine(error) });
    }
  };

  function feedRollback(run: RunName): Feed {
    return async (_, cases, signal) => {
      stores.rollback.setState({ status: "loading", preview: undefined, problem: undefined });
      try {
        const preview = await cases.provisioner.previewRollback(run, stores.ui.getState().dataStores);
        if (!signal.aborted) stores.rollback.setState({ status: "ready", preview, problem: undefined });
      } catch (error) {
        if (!signal.aborted) {
          stores.rollback.setState({ status: "refused", preview: undefined, problem: tellInOneLine(error) });
        }
      }
    };
  }

  function adopt(execution: Execution): void {
    const { name } = execution;
    own.set(name, execution);
    const { write, flush } = runWriter(stores, name);
    stores.openRuns.setState(({ own: before }) => ({
      own: [...before.filter((each) => each !== name), name],
      busy: undefined,
    }));
    write(execution.state);
    const unsubscribe = execution.subscribe((_, state) => write(state));
    const rest = (state: RunState | undefined) => {
      unsubscribe();
      if (state !== undefined) write(state);
      flush();
      own.delete(name);
      stores.openRuns.setState(({ own: before }) => ({ own: before.filter((each) => each !== name) }));
      const { overlay } = stores.ui.getState();
      if (overlay?.kind === "stop-run" && overlay.run === name) stores.ui.setState({ overlay: undefined });
      follow(true);
    };
    execution.finished.then(rest, (error: unknown) => {
      stores.openRuns.setState(({ errors }) => ({ errors: { ...errors, [name]: tellInOneLine(error) } }));
      rest(undefined);
    });
  }

  /** Starts an execution and shows its run in place of the current one. */
  function execute(busy: string, title: string, begin: (cases: UseCases) => Promise<Execution>): void {
    const cases = useCases;
    if (cases === undefined) {
      notify({ text: "not connected yet", tone: "warn" });
      return;
    }
    if (stores.openRuns.getState().busy !== undefined) return;
    stores.openRuns.setState({ busy });
    starting = begin(cases).then(
      (execution) => {
        adopt(execution);
        const run = execution.name;
        setUi((ui) => {
          const place = placeOf(ui);
          const next: Place = { screen: "run", run, title };
          if (place.screen === "run" && place.run === run) return ui;
          if (place.screen === "rollback") {
            const below = ui.stack.at(-2);
            const without = below?.screen === "run" && below.run === run;
            return without ? { ...ui, stack: popped(ui) } : replacePlace(ui, next);
          }
          return place.screen === "wizard" ? replacePlace(ui, next) : ui;
        });
      },
      (error: unknown) => {
        stores.openRuns.setState({ busy: undefined });
        fail(error);
      },
    );
  }

  let named: { readonly of: readonly Service[]; readonly names: ReadonlySet<string> } | undefined;

  function facts(): WizardFacts {
    const { services } = stores.fleet.getState();
    if (named?.of !== services) named = { of: services, names: new Set(services.map(({ name }) => name)) };
    return { teams: stores.connection.getState().teams, services: named.names };
  }

  const session: Session = {
    stores,
    commandLine: options.commandLine,
    now: options.now,
    left: left.promise,
    facts,
    visible: () => visible(stores.fleet.getState().services, stores.ui.getState()),
    ui: () => stores.ui.getState(),
    setUi,
    notify,
    async connect(opening) {
      connection.abort();
      connection = new AbortController();
      const { signal } = connection;
      stores.connection.setState({ state: "connecting", error: undefined });
      try {
        const opened = await opening;
        if (signal.aborted || life.signal.aborted) return;
        useCases = opened;
        stores.connection.setState({
          context: opened.cluster.context,
          simulated: opened.cluster.simulated,
          teams: Object.keys(opened.standards.teams),
          state: "live",
        });
        start(options.fleet, opened, signal);
        follow(true);
        const ui = stores.ui.getState();
        if (placeOf(ui).screen === "wizard" && ui.wizard.question === "review") session.previewPlan();
      } catch (error) {
        if (!signal.aborted) stores.connection.setState({ state: "failed", error: tellInOneLine(error) });
      }
    },
    previewPlan() {
      const request = requestOf(stores.ui.getState().wizard, facts());
      if (request === undefined || useCases === undefined) return stores.plan.setState(noPlan, true);
      stores.plan.setState({ ...noPlan, status: "loading" }, true);
      const asked = JSON.stringify(request);
      const current = () => asked === JSON.stringify(requestOf(stores.ui.getState().wizard, facts()));
      useCases.provisioner.planCreate(request).then(
        ({ plan, manifests }) => {
          if (!current()) return;
          stores.plan.setState({ ...noPlan, status: "ready", plan, objects: manifests.length }, true);
        },
        (error: unknown) => {
          const { text, mend } = tell(error);
          if (current()) stores.plan.setState({ ...noPlan, status: "refused", problem: text, mend }, true);
        },
      );
    },
    create() {
      const request = requestOf(stores.ui.getState().wizard, facts());
      if (request === undefined) return;
      execute("Checking, then recording the run", `create ${request.name}`, async ({ provisioner }) => {
        const execution = await provisioner.create(request, { onFailure: "hold" });
        setUi((ui) => ({ ...ui, wizard: newWizard }));
        return execution;
      });
    },
    retry(run) {
      execute("Going on with the run", "", ({ provisioner }) =>
        provisioner.retry(run, { onFailure: "hold" }),
      );
    },
    rollback(run, title) {
      const { dataStores } = stores.ui.getState();
      execute("Starting the roll back", title, ({ provisioner }) =>
        provisioner.rollback(run, { dataStores }),
      );
    },
    async interrupt(run) {
      try {
        await own.get(run)?.interrupt("stopped by a person");
      } catch (error) {
        fail(error);
      }
    },
    reload() {
      const { state, context } = stores.connection.getState();
      if (state === "failed") void session.connect(options.openContext(context));
      else follow(true);
    },
    changeContext(name) {
      if (own.size > 0) return notify({ text: "a run of this terminal is still going", tone: "warn" });
      shown.abort();
      useCases = undefined;
      shownKey = "";
      stores.fleet.setState({ status: "loading", services: [], error: undefined });
      stores.runs.setState({ status: "loading", runs: [], error: undefined });
      stores.connection.setState({ context: name, simulated: false, teams: [] });
      setUi((ui) => ({ ...ui, stack: [{ screen: "services" }], lists: {}, overlay: undefined }));
      void session.connect(options.openContext(name));
    },
    async leave(code) {
      await starting;
      await Promise.allSettled([...own.values()].map((each) => each.interrupt("the app was closed")));
      life.abort();
      connection.abort();
      shown.abort();
      left.resolve(code);
    },
  };

  stores.ui.subscribe(() => follow());
  feedTicking(stores, options, life.signal);
  return session;
}

function popped(ui: Ui): Ui["stack"] {
  const [first, ...rest] = ui.stack;
  return [first, ...rest.slice(0, -1)];
}

/** The command that does what the wizard would. */
export function wizardCommand(session: Pick<Session, "ui" | "facts" | "commandLine">): string {
  return session.commandLine(createWords(draftOf(session.ui().wizard, session.facts()), alertNames));
}
