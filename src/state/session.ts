import { type ServiceName, serviceNameSchema } from "../application/names.ts";
import { hasOwnNamespace } from "../application/service-ref.ts";
import type { Operation, StepId } from "../provisioning/plan.ts";
import type { OnFailure } from "../provisioning/provisioner.ts";
import type { RunName } from "../provisioning/runs/run.ts";
import type { Service } from "../services/service.ts";
import type { CommandLine } from "./command-line.ts";
import { createExecutions } from "./executions.ts";
import type { Feed, UseCases } from "./feeds/feed.ts";
import { feedOf } from "./feeds/of-place.ts";
import { feedRun } from "./feeds/run.ts";
import { feedTicking } from "./feeds/ticking.ts";
import { runsOnScreen } from "./on-screen.ts";
import { createOtherRuns } from "./other-run.ts";
import { putOwnTeamsFirst } from "./own-teams.ts";
import { listOf } from "./place.ts";
import { tellInOneLine } from "./problem.ts";
import { confirmation, createReviews } from "./reviews.ts";
import { type VisibleServices, visibleServices } from "./service-list.ts";
import { createStores, type Stores } from "./stores.ts";
import type { Timers } from "./throttle.ts";
import { type Notice, placeOf, type Ui } from "./ui.ts";
import { newWizard, requestOf, type WizardFacts } from "./wizard.ts";

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

/** A run as far as a key that is about it knows it. */
export interface RunSubject {
  readonly name: RunName;
  readonly service: string;
  /** What it does, as its screen is headed: `scale checkout`. */
  readonly title: string;
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
  /** The plan of what the shown wizard, change or deletion asks for. */
  previewPlan(): void;
  /** Creates the service of the wizard and shows its run. */
  create(): void;
  /** Has its service account for an orphan from now on. */
  adopt(orphan: string): void;
  /** Makes the change that was reviewed, or the deletion, and shows its run. */
  carryOut(): void;
  /** Takes a service back to an earlier release and shows the run. */
  takeBack(service: string, release: number): void;
  resume(run: RunSubject): void;
  retry(run: RunSubject, skip?: readonly StepId[]): void;
  /** Tries again at once what waits for its next try, whoever executes the run. */
  retryNow(run: RunSubject): void;
  rollback(run: RunSubject): void;
  /** Brings a run to rest, whoever executes it. Resolves once it rests, or has told why it does not. */
  cancel(run: RunSubject): Promise<void>;
  /** Begins what was asked for once the run in the way has come to rest. */
  waitForOther(): void;
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
  const left = Promise.withResolvers<number>();
  const life = new AbortController();
  let useCases: UseCases | undefined;
  let connection = new AbortController();
  let shown = new AbortController();
  let shownKey = "";
  let other = new AbortController();
  let otherRun: RunName | undefined;

  const visible = visibleServices();
  const setUi = (change: (ui: Ui) => Ui) => stores.ui.setState(change);
  const notify = (notice: Notice) => stores.ui.setState({ notice });
  const fail = (error: unknown) => notify({ text: tellInOneLine(error), tone: "error" });

  function start(feed: Feed, cases: UseCases, signal: AbortSignal): void {
    feed(stores, cases, signal).catch((error: unknown) => {
      if (!signal.aborted) fail(error);
    });
  }

  /** Runs the feed of the place that is shown, and no other; and that of a run in the way. */
  function follow(force = false): void {
    if (useCases === undefined) return;
    const { overlay, dataStores } = stores.ui.getState();
    const inTheWay = overlay?.kind === "other-run" ? overlay.run : undefined;
    if (inTheWay !== otherRun) {
      otherRun = inTheWay;
      other.abort();
      other = new AbortController();
      if (inTheWay !== undefined) start(feedRun(inTheWay), useCases, other.signal);
    }
    const place = placeOf(stores.ui.getState());
    const key = `${listOf(place)}:${dataStores}`;
    if (key === shownKey && !force) return;
    shownKey = key;
    shown.abort();
    shown = new AbortController();
    const feed = feedOf(place, {
      own: executions.own,
      contexts: options.contexts,
      onScreen: () => runsOnScreen(session),
    });
    if (feed !== undefined) start(feed, useCases, shown.signal);
  }

  const others = createOtherRuns({ stores, connected: () => useCases, fail });

  const executions = createExecutions({
    stores,
    connected: () => useCases,
    refused: (error, beginning) => {
      const { screen } = placeOf(stores.ui.getState());
      const reviewed = screen === "wizard" || screen === "change" || screen === "delete";
      // What was reviewed is planned anew: the other run may have changed what it is about.
      const again = () => (reviewed ? reviews.previewPlan() : executions.begin(beginning));
      void others.refused(error, beginning, again);
    },
    rested: () => follow(true),
  });

  let named: { readonly of: readonly Service[]; readonly names: ReadonlySet<string> } | undefined;

  function facts(): WizardFacts {
    const { services } = stores.fleet.getState();
    if (named?.of !== services) {
      // Of those that share a namespace, none has the one that a new service would get.
      named = { of: services, names: new Set(services.filter(hasOwnNamespace).map(({ name }) => name)) };
    }
    const { teams, offers } = stores.connection.getState();
    return { teams, services: named.names, offers };
  }

  const reviews = createReviews({
    stores,
    connected: () => useCases,
    facts,
    refused: (error, service, title) =>
      void others.refused(error, { title, service }, () => reviews.previewPlan()),
  });

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
        void putOwnTeamsFirst(stores, opened, signal);
        tellOffers(stores, opened, signal).catch(fail);
        start(options.fleet, opened, signal);
        follow(true);
        const ui = stores.ui.getState();
        if (placeOf(ui).screen === "wizard" && ui.wizard.question === "review") session.previewPlan();
      } catch (error) {
        if (!signal.aborted) stores.connection.setState({ state: "failed", error: tellInOneLine(error) });
      }
    },
    previewPlan: () => reviews.previewPlan(),
    create() {
      const request = requestOf(stores.ui.getState().wizard, facts());
      if (request === undefined) return;
      executions.begin({
        busy: "Checking, then recording the run",
        title: `create ${request.name}`,
        service: request.name,
        show: "replace",
        begin: async ({ provisioner }) => {
          const execution = await provisioner.create(request, { onFailure: "hold" });
          setUi((ui) => ({ ...ui, wizard: newWizard }));
          return execution;
        },
      });
    },
    carryOut() {
      const beginning = reviews.carryOut();
      if (beginning !== undefined) executions.begin(beginning);
    },
    takeBack(service, release) {
      executions.begin({
        busy: `Taking ${service} back to release ${release}`,
        title: `take back ${service}`,
        service,
        show: "above",
        begin: ({ provisioner }) =>
          provisioner.change(nameOf(service), { operation: "rollback", release }, { dataStores: "keep" }),
      });
    },
    adopt(orphan) {
      const cases = useCases;
      if (cases === undefined || stores.openRuns.getState().busy !== undefined) return;
      stores.openRuns.setState({ busy: `Adopting ${orphan}` });
      const done = (notice: Notice) => {
        stores.openRuns.setState({ busy: undefined });
        notify(notice);
        follow(true);
      };
      cases.provisioner.orphans.adopt([orphan]).then(
        ([adopted]) =>
          done({ text: `${orphan} is adopted: ${adopted?.service} accounts for it`, tone: "info" }),
        (error: unknown) => done({ text: tellInOneLine(error), tone: "error" }),
      );
    },
    resume(run) {
      executions.begin({
        ...run,
        busy: "Going on with the run",
        show: "not",
        begin: async (cases) =>
          cases.provisioner.resume(run.name, { onFailure: await onFailureOf(run.name, cases) }),
      });
    },
    retry(run, skip = []) {
      executions.begin({
        ...run,
        busy: skip.length === 0 ? "Going on with the run" : "Going on without that step",
        show: "not",
        begin: async (cases) =>
          cases.provisioner.retry(run.name, { onFailure: await onFailureOf(run.name, cases), skip }),
      });
    },
    retryNow(run) {
      const tell = () => notify({ text: "trying again now", tone: "info" });
      useCases?.provisioner
        .retryNow(run.name)
        .then(tell, (error: unknown) => void others.refused(error, run, () => session.retryNow(run)));
    },
    rollback(run) {
      const { dataStores } = stores.ui.getState();
      const chosen = { dataStores, ...confirmation(stores) };
      executions.begin({
        ...run,
        busy: "Starting the roll back",
        show: "replace",
        begin: ({ provisioner }) => provisioner.rollback(run.name, chosen),
      });
    },
    async cancel(run) {
      const execution = executions.own.get(run.name);
      if (execution === undefined) stores.openRuns.setState({ busy: "Asking it to come to rest" });
      try {
        if (execution !== undefined) return await execution.interrupt("cancelled");
        const state = await useCases?.provisioner.cancel(run.name);
        if (state === undefined) return;
        stores.openRuns.setState(({ states }) => ({ states: { ...states, [run.name]: state } }));
      } catch (error) {
        await others.refused(error, run, () => void session.cancel(run));
      } finally {
        stores.openRuns.setState({ busy: undefined });
      }
    },
    waitForOther: () => others.wait(),
    reload() {
      const { state, context } = stores.connection.getState();
      if (state === "failed") void session.connect(options.openContext(context));
      else follow(true);
    },
    changeContext(name) {
      if (executions.own.size > 0) {
        return notify({ text: "a run of this terminal is still going", tone: "warn" });
      }
      shown.abort();
      useCases = undefined;
      shownKey = "";
      stores.fleet.setState({ status: "loading", services: [], error: undefined });
      stores.runs.setState({ status: "loading", runs: [], error: undefined });
      stores.connection.setState({ context: name, simulated: false, teams: [], offers: undefined });
      setUi((ui) => ({ ...ui, stack: [{ screen: "services" }], lists: {}, overlay: undefined }));
      void session.connect(options.openContext(name));
    },
    async leave(code) {
      await executions.started();
      const going = [...executions.own.values()];
      await Promise.allSettled(going.map((each) => each.interrupt("the app was closed")));
      for (const controller of [life, connection, shown, other]) controller.abort();
      left.resolve(code);
    },
  };

  stores.ui.subscribe(() => follow());
  feedTicking(stores, options, life.signal);
  return session;
}

/** What the standards choose for new data stores; worked out after the first frame, which needs none of it. */
async function tellOffers(
  { connection }: Stores,
  { standards }: UseCases,
  signal: AbortSignal,
): Promise<void> {
  const { offersOf } = await import("../provisioning/data-stores/terms.ts");
  if (!signal.aborted) connection.setState({ offers: offersOf(standards) });
}

/** A change that is gone on with fails as it would have at first; everything else waits for the person who looks on. */
async function onFailureOf(run: RunName, { provisioner, standards }: UseCases): Promise<OnFailure> {
  const { operation } = await provisioner.get(run);
  const waits: readonly Operation[] = ["create", "delete", "cleanup", "provision"];
  return waits.includes(operation) ? "hold" : standards.workload.onUnhealthy;
}

/** A service's name that came from the cluster, as use cases take it. */
function nameOf(service: string): ServiceName {
  return serviceNameSchema.parse(service);
}
