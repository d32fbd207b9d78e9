import { Terminal } from "@xterm/headless";
import { afterEach, describe, expect, it } from "vitest";
import type { StoreOffers } from "../../../src/provisioning/data-stores/terms.ts";
import type { RunName, RunState } from "../../../src/provisioning/runs/run.ts";
import { serviceText } from "../../../src/provisioning/runs/service-of-run.ts";
import { drawSkeleton } from "../../../src/screens/skeleton.ts";
import { editForm, formOf } from "../../../src/state/change.ts";
import { withDeadHolders } from "../../../src/state/dead-holders.ts";
import type { Place } from "../../../src/state/place.ts";
import type { PlanPreview } from "../../../src/state/stores.ts";
import { entryOf } from "../../../src/state/text-entry.ts";
import type { Ui } from "../../../src/state/ui.ts";
import { newWizard } from "../../../src/state/wizard.ts";
import {
  ago,
  cleanup,
  dashboard,
  deletePlan,
  held,
  offers,
  orphans,
  plan,
  preview,
  releases,
  running,
  scaledBack,
  scalePlan,
  scaling,
  service,
  sharing,
  spec,
  wholePlan,
} from "./examples.ts";
import { moment, type Opened, open } from "./terminal.ts";

let app: Opened | undefined;
afterEach(() => app?.close());

/** Local times in logs are drawn for one zone. */
process.env.TZ = "UTC";

type Prepare = (app: Opened) => void;

const show =
  (...places: readonly Place[]): Prepare =>
  ({ session }) =>
    session.setUi((ui) => ({ ...ui, stack: [{ screen: "services" }, ...places] }));

const live: Prepare = ({ session: { stores } }) => {
  stores.connection.setState({ state: "live" });
  stores.fleet.setState({ status: "ready", services: dashboard });
};

const offer =
  (chosen: StoreOffers): Prepare =>
  ({ session: { stores } }) =>
    stores.connection.setState({ offers: chosen });

const share: Prepare = ({ session: { stores } }) => stores.fleet.setState({ services: sharing });

const ui =
  (change: Partial<Ui>): Prepare =>
  ({ session }) =>
    session.setUi((before) => ({ ...before, ...change }));

const run: Place = { screen: "run", run: running.name, title: "create api-gateway" };
const rollback: Place = { screen: "rollback", run: running.name, title: "create ledger", service: "ledger" };
const wizard = {
  ...newWizard,
  name: entryOf("api-gateway"),
  answered: new Set(["name", "language"] as const),
};

const checkout: Place = { screen: "service", service: "checkout", tab: "releases" };
const scale: Place = { screen: "change", service: "checkout", kind: "scale" };
const set: Place = { screen: "change", service: "checkout", kind: "set" };

/** A run's screen, where the run is as told and who executes it elsewhere lives or not. */
const runIs =
  (state: RunState, holder?: "living" | "dead"): Prepare =>
  ({ session }) => {
    const { name, operation } = state;
    session.stores.openRuns.setState({
      states: { [name]: state },
      holders: holder === undefined ? {} : { [name]: holder },
    });
    session.setUi((before) => ({
      ...before,
      stack: [
        { screen: "services" },
        { screen: "run", run: name, title: `${operation} ${serviceText(state)}` },
      ],
    }));
  };

/** A run about a service that shares its namespace. */
const provisioning: RunState = {
  ...held,
  name: "ledger-provision-x2m9" as RunName,
  operation: "provision",
  service: "ledger",
  sharedNamespace: "production",
};

/** A form with these keys pressed in it. */
const typedIn = (kind: "scale" | "set", keys: readonly string[]) =>
  keys.reduce(
    (form, id) => editForm(form, id.length === 1 ? { id, text: id } : { id }) ?? form,
    formOf(kind, "checkout", spec),
  );

const planned =
  (change: Partial<PlanPreview>): Prepare =>
  ({ session }) =>
    session.stores.plan.setState({ status: "ready", ...change });

const otherRun =
  (state: RunState, holder: "living" | "dead" | undefined, waiting = false): Prepare =>
  ({ session }) => {
    session.stores.openRuns.setState({
      states: { [state.name]: state },
      holders: holder === undefined ? {} : { [state.name]: holder },
    });
    session.setUi((before) => ({
      ...before,
      overlay: { kind: "other-run", run: state.name, wanted: "deploy checkout", waiting },
    }));
  };

const screens: Readonly<Record<string, readonly Prepare[]>> = {
  "services-loading": [],
  "services-empty": [
    ({ session: { stores } }) => {
      stores.connection.setState({ state: "live" });
      stores.fleet.setState({ status: "ready", services: [] });
    },
  ],
  "services-not-connected": [
    ({ session: { stores } }) => {
      stores.connection.setState({ state: "failed", error: "connect ECONNREFUSED 127.0.0.1:6443" });
    },
  ],
  "services-stale": [
    live,
    ({ session: { stores } }) => {
      stores.connection.setState({ state: "stale", error: "no answer from the API server: trying again" });
    },
  ],
  services: [live],
  "services-full": [
    live,
    ({ session: { stores } }) => {
      const services = Array.from({ length: 10_000 }, (_, index) =>
        service(`service-${String(index).padStart(5, "0")}`),
      );
      stores.fleet.setState({ services: [...dashboard.slice(0, 2), ...services] });
    },
  ],
  "services-filter": [live, ui({ filters: { services: { entry: entryOf("ch"), editing: true } } })],
  "services-holder-gone": [
    live,
    ({ session: { stores } }) => {
      const { name, operation, phase } = scaling;
      const lastRun = { name, operation, phase, at: ago(600) };
      const lost = service("checkout", {
        verdict: "working",
        reason: "waiting for 2 of 5 replicas",
        lastRun,
      });
      const services = [lost, service("api-gateway")];
      stores.fleet.setState({ services: withDeadHolders(services, { [name]: "dead" }) });
    },
  ],
  "services-sharing": [live, share],
  "service-sharing": [
    live,
    share,
    show({ screen: "service", service: "production/ledger", tab: "overview" }),
  ],
  "service-sharing-releases": [
    live,
    share,
    show({ screen: "service", service: "production/ledger", tab: "releases" }),
  ],
  "service-sharing-runs": [
    live,
    share,
    show({ screen: "service", service: "production/ledger", tab: "runs" }),
    ({ session: { stores } }) => {
      const elsewhere = { ...provisioning, sharedNamespace: "production-eu-central" };
      stores.runs.setState({ status: "ready", runs: [elsewhere, provisioning] });
    },
  ],
  "service-overview": [live, show({ screen: "service", service: "checkout", tab: "overview" })],
  "service-pods": [
    live,
    show({ screen: "service", service: "checkout", tab: "pods" }),
    ({ session: { stores } }) => {
      const pod = (name: string, ready: string, state: string, why: string) => ({
        key: name,
        cells: [name, ready, state, "0", ago(300), "node-1", why],
        tone: state === "Running" ? ("plain" as const) : ("bad" as const),
      });
      stores.detail.setState({
        of: "checkout/pods",
        status: "ready",
        rows: [
          pod("checkout-6d5f7c9b-2x8vq", "1/1", "Running", ""),
          pod("checkout-6d5f7c9b-9kqpl", "0/1", "ImagePullBackOff", "not found"),
        ],
      });
    },
  ],
  "service-yaml": [
    live,
    show({ screen: "service", service: "checkout", tab: "yaml" }),
    ({ session: { stores } }) => {
      const text = ["apiVersion: platform.company.com/v1", "kind: Application", "spec:", "  replicas: 3"];
      stores.detail.setState({
        of: "checkout/yaml",
        status: "ready",
        rows: text.map((line, key) => ({ key: String(key), cells: [line], tone: "plain" })),
      });
    },
  ],
  "wizard-empty": [live, show({ screen: "wizard" })],
  "wizard-wrong-name": [
    live,
    show({ screen: "wizard" }),
    ui({ wizard: { ...newWizard, name: entryOf("My_Service") } }),
  ],
  "wizard-database": [live, show({ screen: "wizard" }), ui({ wizard: { ...wizard, question: "database" } })],
  "wizard-database-offered": [
    live,
    offer(offers.inCluster),
    show({ screen: "wizard" }),
    ui({ wizard: { ...wizard, question: "database", database: "postgres" } }),
  ],
  "wizard-database-none": [
    live,
    offer(offers.inCluster),
    show({ screen: "wizard" }),
    ui({ wizard: { ...wizard, question: "database" } }),
  ],
  "wizard-database-at-google": [
    live,
    offer(offers.atGoogle),
    ({ session: { stores } }) => stores.connection.setState({ teams: ["payments", "search"] }),
    show({ screen: "wizard" }),
    ui({ wizard: { ...wizard, question: "database", database: "postgres", name: entryOf("a".repeat(46)) } }),
  ],
  "wizard-cache-at-google": [
    live,
    offer(offers.atGoogle),
    show({ screen: "wizard" }),
    ui({ wizard: { ...wizard, question: "cache", cache: "redis" } }),
  ],
  "wizard-review-at-google": [
    live,
    show({ screen: "wizard" }),
    ui({ wizard: { ...wizard, question: "review", database: "postgres", cache: "redis" } }),
    planned({ plan: wholePlan, stores: Object.values(offers.atGoogle), objects: 24 }),
  ],
  "change-set-cache": [
    live,
    offer(offers.atGoogle),
    show(set),
    ui({ change: typedIn("set", [...Array.from({ length: 7 }, () => "down"), "space"]) }),
  ],
  "wizard-review": [
    live,
    show({ screen: "wizard" }),
    ui({ wizard: { ...wizard, question: "review" } }),
    ({ session: { stores } }) => {
      stores.plan.setState({ status: "ready", plan, objects: 20 });
    },
  ],
  "wizard-refused": [
    live,
    show({ screen: "wizard" }),
    ui({ wizard: { ...wizard, question: "review" } }),
    ({ session: { stores } }) => {
      stores.plan.setState({
        status: "refused",
        problem: "the namespace app-api-gateway exists and is not the platform's",
        mend: "choose another name; a namespace that is not ours is never taken over",
      });
    },
  ],
  "run-running": [
    live,
    show(run),
    ({ session: { stores } }) => {
      stores.openRuns.setState({ states: { [running.name]: running }, own: [running.name] });
    },
  ],
  "run-held": [
    live,
    show(run),
    ({ session: { stores } }) => {
      stores.openRuns.setState({ states: { [held.name]: held } });
    },
  ],
  "run-rollback-failed": [
    live,
    show(run),
    ({ session: { stores } }) => {
      const orphans = held.steps.flatMap(({ effects }) => effects.map(({ effect }) => effect));
      stores.openRuns.setState({ states: { [held.name]: { ...held, phase: "RollbackFailed", orphans } } });
    },
  ],
  "run-effects": [
    live,
    show(run),
    ui({ runPane: "effects" }),
    ({ session: { stores } }) => {
      stores.openRuns.setState({ states: { [running.name]: running } });
    },
  ],
  "run-stop": [
    live,
    show(run),
    ({ session: { stores } }) => {
      stores.openRuns.setState({ states: { [running.name]: running }, own: [running.name] });
    },
    ui({ overlay: { kind: "stop-run", run: running.name, title: "create api-gateway", leaving: true } }),
  ],
  "run-held-skippable": [
    live,
    runIs({
      ...scaling,
      phase: "Held",
      failure: {
        step: "verify",
        error: { class: "unhealthy", message: "Prometheus shows no target of checkout", mend: "see targets" },
      },
      steps: scaling.steps.map((each) =>
        each.id === "verify" ? { ...each, phase: "Failed", attempt: 1, finishedAt: ago(1) } : each,
      ),
    }),
  ],
  "run-sharing-deleted": [
    live,
    runIs({
      ...scaling,
      operation: "delete",
      sharedNamespace: "production",
      phase: "Succeeded",
      finishedAt: ago(2),
    }),
  ],
  "run-elsewhere": [live, runIs(scaling, "living")],
  "run-holder-gone": [live, runIs(scaling, "dead")],
  "run-interrupted": [live, runIs({ ...running, phase: "Interrupted", finishedAt: ago(1) })],
  "run-scaled": [live, runIs({ ...scaling, phase: "Succeeded", finishedAt: ago(2) })],
  "run-scaled-back": [
    live,
    runIs(scaledBack),
    ui({
      runPane: "effects",
      lists: { [`run/${scaledBack.name}`]: { key: "apply_kubernetes", index: 1, top: 0 } },
    }),
  ],
  "run-undoing": [
    live,
    runIs(
      {
        ...scaledBack,
        phase: "RollingBack",
        steps: scaledBack.steps.map((each) =>
          each.id === "apply_kubernetes"
            ? {
                ...each,
                phase: "Retrying",
                retryAt: new Date(moment + 12_000).toISOString(),
                error: { class: "transient", message: "the server is busy", mend: "" },
              }
            : each,
        ),
      },
      "living",
    ),
  ],
  "run-log": [
    live,
    ({ session }) => {
      const log = Array.from({ length: 200 }, (_, index) => ({
        at: ago(200 - index),
        step: "apply_kubernetes" as const,
        line: `line ${index + 101}`,
      }));
      session.stores.openRuns.setState({ states: { [scaling.name]: { ...scaling, log } } });
    },
    show({ screen: "log", run: scaling.name, title: "scale checkout" }),
  ],
  releases: [
    live,
    show(checkout),
    ({ session }) =>
      session.stores.releases.setState({ of: "checkout", status: "ready", releases, error: undefined }),
    ({ session }) =>
      session.setUi((before) => ({
        ...before,
        lists: { "service/checkout/releases": { key: "2", index: 2, top: 0 } },
      })),
  ],
  "releases-marked": [
    live,
    show(checkout),
    ({ session }) => session.stores.releases.setState({ of: "checkout", status: "ready", releases }),
    ui({ markedRelease: { service: "checkout", number: 1 } }),
  ],
  "releases-empty": [
    live,
    show(checkout),
    ({ session }) => session.stores.releases.setState({ of: "checkout", status: "ready", releases: [] }),
  ],
  "change-scale": [live, show(scale), ui({ change: typedIn("scale", ["5"]) })],
  "change-scale-wrong": [live, show(scale), ui({ change: typedIn("scale", ["5", "1"]) })],
  "change-set": [
    live,
    show(set),
    ui({ change: typedIn("set", ["down", "5", "1", "2", "M", "i", "down", "down", "down", "space"]) }),
  ],
  "change-review": [
    live,
    show(scale),
    ui({ change: { ...typedIn("scale", ["5"]), review: true } }),
    planned({ plan: scalePlan, diff: [{ field: "replicas", before: "3", after: "5" }] }),
  ],
  delete: [
    live,
    show({ screen: "delete", service: "checkout" }),
    ui({ dataStores: "keep" }),
    planned({ plan: { ...deletePlan, steps: deletePlan.steps.slice(0, 2) } }),
  ],
  "delete-sharing": [
    live,
    show({ screen: "delete", service: "production/checkout" }),
    ui({ dataStores: "keep" }),
    planned({ plan: { ...deletePlan, sharedNamespace: "production", steps: deletePlan.steps.slice(0, 2) } }),
  ],
  "delete-destroys": [
    live,
    show({ screen: "delete", service: "checkout" }),
    ui({ dataStores: "delete", confirmation: entryOf("checkout") }),
    planned({ plan: deletePlan, protectedStores: ["database checkout-db"] }),
  ],
  "other-run": [live, otherRun(scaling, "living")],
  "other-run-sharing": [live, otherRun({ ...scaling, sharedNamespace: "production" }, "living")],
  "other-run-gone": [live, otherRun(scaling, "dead")],
  "other-run-waited-for": [live, otherRun(scaling, "living", true)],
  "other-run-held": [live, otherRun({ ...held, service: "checkout" }, undefined)],
  "rollback-restores": [
    live,
    show(rollback),
    ({ session }) =>
      session.stores.rollback.setState({
        status: "ready",
        preview: {
          ...preview,
          restores: [{ effects: [], text: "deployment/checkout, application/checkout", reason: "as before" }],
          deletes: [],
          irreversible: [],
        },
      }),
  ],
  orphans: [
    live,
    show({ screen: "orphans" }),
    ({ session }) => session.stores.orphans.setState({ status: "ready", found: orphans }),
  ],
  "orphans-none": [
    live,
    show({ screen: "orphans" }),
    ({ session }) =>
      session.stores.orphans.setState({
        status: "ready",
        found: [],
        unseen: ["secrets: forbidden for ada"],
      }),
  ],
  "orphans-delete": [
    live,
    show({ screen: "orphans" }, { screen: "cleanup", orphan: "namespace/app-ledger", service: "ledger" }),
    ({ session }) => session.stores.cleanup.setState({ status: "ready", plan: cleanup }),
  ],
  "runs-filter": [
    live,
    show({ screen: "runs" }),
    ui({ filters: { runs: { entry: entryOf("grace running"), editing: true } } }),
    ({ session }) => session.stores.runs.setState({ status: "ready", runs: [scaling, held, scaledBack] }),
  ],
  runs: [
    live,
    show({ screen: "runs" }),
    ({ session: { stores } }) => {
      const done = { ...running, name: held.name, phase: "Succeeded" as const, finishedAt: ago(3) };
      stores.runs.setState({ status: "ready", runs: [running, held, done] });
    },
  ],
  "runs-sharing": [
    live,
    show({ screen: "runs" }),
    ({ session: { stores } }) => {
      const elsewhere = { ...provisioning, sharedNamespace: "production-eu-central" };
      stores.runs.setState({ status: "ready", runs: [running, elsewhere, provisioning] });
    },
  ],
  "runs-empty": [
    live,
    show({ screen: "runs" }),
    ({ session: { stores } }) => {
      stores.runs.setState({ status: "ready", runs: [] });
    },
  ],
  rollback: [
    live,
    show(run, rollback),
    ({ session: { stores } }) => {
      stores.rollback.setState({ status: "ready", preview });
    },
  ],
  "rollback-destroys": [
    live,
    show(run, rollback),
    ui({ confirmation: entryOf("led") }),
    ({ session: { stores } }) => {
      stores.rollback.setState({
        status: "ready",
        preview: { ...preview, destroysData: true, protectedStores: ["ledger-db"] },
      });
    },
  ],
  help: [live, ui({ overlay: { kind: "help", top: 0 } })],
  palette: [live, ui({ overlay: { kind: "palette", entry: entryOf("che"), cursor: 0 } })],
  contexts: [
    live,
    show({ screen: "contexts" }),
    ({ session: { stores } }) => {
      stores.contexts.setState({ status: "ready", names: ["prod-eu", "sandbox", "staging"] });
    },
  ],
};

const sizes = [
  [80, 24],
  [200, 50],
] as const;

describe.each(sizes)("screens at %ix%i", (columns, rows) => {
  it.each(Object.entries(screens))("%s", async (name, prepare) => {
    app = open({ columns, rows });
    expect(app.session.now()).toBe(moment);
    for (const each of prepare) each(app);
    const screen = await app.screen();
    const lines = screen.split("\n");
    expect(lines).toHaveLength(rows);
    if (columns === 80) {
      app.close();
      app = open({ columns, rows, plainText: true });
      for (const each of prepare) each(app);
      expect(await app.screen()).toBe(screen);
    }
    await expect(`${screen}\n`).toMatchFileSnapshot(`../../golden/${name}-${columns}x${rows}.txt`);
  });
});

it("says how large a terminal it needs, and comes back when it is", async () => {
  app = open();
  live(app);
  await app.resize(60, 20);
  expect(await app.screen()).toContain("needs 80x24, this is 60x20");
  await app.resize(100, 30);
  expect(await app.screen()).toContain("checkout");
});

it.each(["services", "run-holder-gone", "releases", "other-run", "change-set", "delete-destroys", "orphans"])(
  "tells everything of %s without colour and without Unicode",
  async (name) => {
    app = open({ env: { TERM: "linux", NO_COLOR: "1" } });
    for (const each of screens[name] ?? []) each(app);
    const screen = await app.screen();
    expect(screen).toMatch(/^[\x20-\x7e\n]*$/);
    // The same words as with colour: none of them was in a sign alone.
    app.close();
    app = open();
    for (const each of screens[name] ?? []) each(app);
    const words = (text: string) => text.match(/[A-Za-z]{3,}/g);
    expect(words(screen)).toEqual(words(await app.screen()));
  },
);

it("starts with a skeleton that looks like its first frame", async () => {
  app = open();
  const first = await app.screen();
  const terminal = new Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  drawSkeleton(
    {
      stdin: {},
      stdout: { columns: 80, rows: 24, write: (text) => terminal.write(text) },
      env: { TERM: "xterm-256color", LANG: "C.UTF-8" },
    },
    "sandbox",
  );
  await new Promise<void>((resolve) => terminal.write("", resolve));
  const lines = Array.from({ length: 24 }, (_, row) =>
    (terminal.buffer.active.getLine(row)?.translateToString(true) ?? "").trimEnd(),
  );
  expect(lines.join("\n")).toBe(first);
});
