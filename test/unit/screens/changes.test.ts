import { afterEach, describe, expect, it } from "vitest";
import { ProvisioningError } from "../../../src/provisioning/errors.ts";
import type { Provisioner } from "../../../src/provisioning/provisioner.ts";
import type { Execution, RunState } from "../../../src/provisioning/runs/run.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import type { UseCases } from "../../../src/state/feeds/feed.ts";
import type { Place } from "../../../src/state/place.ts";
import {
  cleanup,
  dashboard,
  deletePlan,
  held,
  orphans,
  releases,
  running,
  scalePlan,
  scaling,
  spec,
} from "./examples.ts";
import { type Opened, open } from "./terminal.ts";

let app: Opened | undefined;
afterEach(() => app?.close());

const leave = "\u001b";

/**
 * A provisioner that records what was asked of it and whose runs go on; `others` are runs of somebody else, by which
 * changes are refused while one of them is at work.
 */
function byHand(others: readonly RunState[] = []) {
  const asked: string[] = [];
  const record = (what: string, ...rest: readonly unknown[]) =>
    asked.push([what, ...rest.map((each) => JSON.stringify(each))].join(" "));
  const watchers = new Map<string, (state: RunState) => void>();
  let runs = others;
  const execution = (state: RunState): Execution => ({
    name: state.name,
    by: "this-process",
    state,
    subscribe: () => () => {},
    finished: new Promise(() => {}),
    retryNow: () => {},
    interrupt: async () => {},
  });
  const refuseWhileBusy = () => {
    const busy = runs.find(({ phase }) => phase === "Running");
    if (busy === undefined) return;
    throw new ProvisioningError(
      "busy",
      `checkout is being worked on: run ${busy.name} by ${busy.holder}`,
      `watch it: platform run watch ${busy.name}`,
    );
  };
  const begun = async (what: string, ...rest: readonly unknown[]) => {
    refuseWhileBusy();
    record(what, ...rest);
    return execution(running);
  };
  const provisioner: Partial<Provisioner> = {
    planChange: async () => {
      refuseWhileBusy();
      return {
        plan: scalePlan,
        manifests: [],
        diff: [{ field: "replicas", before: "3", after: "5" }],
      };
    },
    planDelete: async (_, dataStores) => ({
      plan: { ...deletePlan, steps: deletePlan.steps.slice(0, dataStores === "delete" ? 3 : 2) },
      manifests: [],
      diff: [],
      protectedStores: dataStores === "delete" ? ["database checkout-db"] : [],
    }),
    change: (service, change, options) => begun(`change ${service}`, change, options),
    delete: (service, options) => begun(`delete ${service}`, options),
    resume: async (run, { onFailure }) => {
      record(`resume ${run}, ${onFailure}`);
      return execution(scaling);
    },
    retry: async (run, { skip = [], onFailure }) => {
      record(`retry ${run}, ${onFailure}`, skip);
      return execution(scaling);
    },
    retryNow: async (run) => void record(`retry now ${run}`),
    cancel: async (run) => {
      record(`cancel ${run}`);
      return { ...scaling, phase: "Interrupted" };
    },
    get: async (run) => runs.find(({ name }) => name === run) ?? scaling,
    releases: async () => releases,
    list: async () => runs,
    watch: async function* (run, signal) {
      const found = runs.find(({ name }) => name === run);
      if (found !== undefined) yield found;
      while (!signal.aborted) {
        yield await new Promise<RunState>((resolve) => watchers.set(run, resolve));
      }
    },
    orphans: {
      find: async () => ({ found: orphans, unseen: [] }),
      adopt: async (names) => {
        record("adopt", names);
        return orphans.slice(0, 1);
      },
      planDelete: async () => [cleanup],
      delete: (plan, options) => begun(`clean up ${plan.service}`, options),
    },
  };
  const useCases = {
    provisioner,
    cluster: {
      context: "sandbox",
      simulated: true,
      get: async (resource: { readonly plural: string }) => {
        if (resource.plural === "applications") {
          return {
            apiVersion: "platform.company.com/v1",
            kind: "Application",
            metadata: { name: "checkout" },
            spec,
          };
        }
        throw new Error("no such object");
      },
    },
    standards: standardsSchema.parse({}),
    clock: { sleep: () => new Promise(() => {}), now: () => new Date() },
  } as unknown as UseCases;
  return {
    asked,
    useCases,
    /** What somebody else's run comes to. */
    comes: (state: RunState) => {
      runs = runs.map((run) => (run.name === state.name ? state : run));
      watchers.get(state.name)?.(state);
    },
  };
}

async function started(places: readonly Place[] = [], others: readonly RunState[] = []) {
  const hand = byHand(others);
  app = open({
    useCases: hand.useCases,
    fleet: async (stores) => stores.fleet.setState({ status: "ready", services: dashboard }),
  });
  await app.screen();
  app.session.setUi((ui) => ({ ...ui, stack: [{ screen: "services" }, ...places] }));
  return { ...hand, app };
}

const shown = async (opened: Opened) => {
  opened.hands.pass(100);
  return opened.screen();
};

const shows = (opened: Opened, text: string) => expect.poll(() => shown(opened)).toContain(text);

const overview: Place = { screen: "service", service: "checkout", tab: "overview" };

describe("changing a service", () => {
  it("shows what differs and what is written before anything is, then the run", async () => {
    const { app: opened, asked } = await started([overview]);
    await opened.type("+");
    await shows(opened, "Replicas   4");
    await opened.type("3\r");
    expect(await shown(opened)).toContain("nothing is changed yet");
    await opened.type("++\r");
    await shows(opened, "deployment/checkout");
    expect(await shown(opened)).toContain("3 → 5");
    expect(await shown(opened)).toContain("service scale checkout --replicas 5");
    expect(asked).toEqual([]);
    await opened.type("\r\r");
    expect(asked).toEqual(['change checkout {"operation":"scale","replicas":5} {"dataStores":"keep"}']);
    expect(await shown(opened)).toContain("Namespace and guardrails");
  });

  it("takes no tag for a digest, and says so while one types", async () => {
    const { app: opened, asked } = await started([overview]);
    await opened.type("i");
    await shows(opened, "Image");
    await opened.type("registry.example/checkout:latest\r");
    expect(await shown(opened)).toContain("an image by its digest");
    expect(asked).toEqual([]);
  });

  it("sets only what was changed", async () => {
    const { app: opened, asked } = await started([overview]);
    await opened.type("e");
    await shows(opened, "CPU set aside");
    await opened.type("250m\t\t\t\t ");
    await opened.type("\r");
    await shows(opened, "enter scales checkout");
    await opened.type("\r");
    expect(asked).toEqual([
      'change checkout {"operation":"set","requests":{"cpu":"250m"},"alerts":["high-latency"]} {"dataStores":"keep"}',
    ]);
  });

  it("deletes only once the service's name is typed, and passes it on where data is protected", async () => {
    const { app: opened, asked } = await started([overview]);
    await opened.type("\u0004");
    await shows(opened, "Type checkout to delete it");
    await opened.type("\t");
    await shows(opened, "checkout-db is protected");
    await opened.type("\r");
    expect(await shown(opened)).toContain("type checkout first");
    expect(asked).toEqual([]);
    await opened.type("checkout\r");
    expect(asked).toEqual([
      'delete checkout {"dataStores":"delete","confirmed":"checkout","namespace":"app-checkout"}',
    ]);
  });
});

describe("releases", () => {
  it("are gone back to with one key, which shows the run", async () => {
    const { app: opened, asked } = await started([{ ...overview, tab: "releases" }]);
    await shows(opened, "4 current");
    await opened.type("b");
    expect(await shown(opened)).toContain("release 4 is what runs");
    await opened.type("jjb");
    expect(asked).toEqual(['change checkout {"operation":"rollback","release":2} {"dataStores":"keep"}']);
    expect(await shown(opened)).toContain("Namespace and guardrails");
  });

  it("are compared with the one that runs, or with one that is marked", async () => {
    const { app: opened } = await started([{ ...overview, tab: "releases" }]);
    await shows(opened, "4 current");
    await opened.type("j");
    expect(await shown(opened)).toContain("From 4, which runs, to 3");
    await opened.type("G");
    await opened.type(" k");
    expect(await shown(opened)).toContain("From 1 to 2");
  });
});

describe("two people on one service", () => {
  const asksToScale = async (others: readonly RunState[]) => {
    const hand = await started([overview], others);
    await hand.app.type("+");
    await shows(hand.app, "Replicas   4");
    await hand.app.type("5\r");
    await shows(hand.app, "checkout is being worked on");
    return hand;
  };

  it("says who runs what, and watches it", async () => {
    const { app: opened, asked } = await asksToScale([scaling]);
    const screen = await shown(opened);
    expect(screen).toContain("grace@workstation:812");
    expect(screen).toContain(scaling.name);
    expect(screen).toContain("Take over   only once its holder is gone");
    await opened.type("u");
    expect(asked).toEqual([]);
    await opened.type("w");
    expect(await shown(opened)).toContain("replicas 3 → 5");
  });

  it("waits, and looks again at what it changes once the other has come to rest", async () => {
    const { app: opened, asked, comes } = await asksToScale([scaling]);
    await opened.type("a");
    expect(await shown(opened)).toContain("wait no longer");
    comes({ ...scaling, phase: "Succeeded" });
    await shows(opened, "enter scales checkout");
    expect(asked).toEqual([]);
    await opened.type("\r");
    expect(asked).toHaveLength(1);
  });

  it("stops waiting where the other run needs a person", async () => {
    const { app: opened, comes } = await asksToScale([scaling]);
    await opened.type("a");
    comes({ ...scaling, phase: "Held" });
    await shows(opened, "waits for a person");
    await opened.type(leave);
    expect(await shown(opened)).not.toContain("waits for a person");
  });

  it("takes over only a run whose holder is gone", async () => {
    const { app: opened, asked } = await asksToScale([scaling]);
    opened.session.stores.openRuns.setState({ holders: { [scaling.name]: "dead" } });
    await opened.type("u");
    expect(asked).toEqual([`resume ${scaling.name}, rollback`]);
  });
});

describe("a run of somebody else", () => {
  const on = (state: RunState): Place => ({ screen: "run", run: state.name, title: "scale checkout" });

  it("is cancelled after saying what that means", async () => {
    const { app: opened, asked } = await started([on(scaling)], [scaling]);
    await shows(opened, "3 of 5 pods ready");
    await opened.type("x");
    const screen = await shown(opened);
    expect(screen).toContain("grace@workstation:812 executes it");
    expect(screen).toContain("Nothing it has made is deleted");
    expect(asked).toEqual([]);
    await opened.type("x");
    await shows(opened, "Stopped between two writes");
    expect(asked).toEqual([`cancel ${scaling.name}`]);
  });

  it("is asked to try again now while it waits for its next try", async () => {
    const waits = { ...running, holder: "grace@workstation:812" };
    const { app: opened, asked } = await started([on(waits)], [waits]);
    await shows(opened, "try 3 of 8 in 4 s");
    await opened.type("r");
    expect(asked).toEqual([`retry now ${running.name}`]);
    expect(await shown(opened)).toContain("trying again now");
  });

  it("goes on without a step that may be left out, and not without another", async () => {
    const failed = (id: string): RunState => ({
      ...scaling,
      phase: "Held",
      failure: { step: id as "verify", error: { class: "unhealthy", message: "no target", mend: "" } },
      steps: scaling.steps.map((step) => (step.id === id ? { ...step, phase: "Failed" } : step)),
    });
    const first = await started([on(scaling)], [failed("apply_kubernetes")]);
    await shows(first.app, "held at Application");
    await first.app.type("s");
    expect(await shown(first.app)).toContain("the service needs what this step makes");
    first.app.close();
    const { app: opened, asked } = await started([on(scaling)], [failed("verify")]);
    await shows(opened, "goes on without Verify");
    await opened.type("s");
    expect(asked).toEqual([`retry ${scaling.name}, rollback ["verify"]`]);
  });

  it("offers the same verbs in the list as on its screen", async () => {
    const { app: opened, asked } = await started([{ screen: "runs" }], [held, scaling]);
    await shows(opened, "create held");
    await opened.type("u");
    expect(await shown(opened)).toContain("create api-gateway is held: r retry, b roll back");
    await opened.type("r");
    expect(asked).toEqual([`retry ${held.name}, hold []`]);
  });

  it("is not shown as going once its holder is gone", async () => {
    const { app: opened, asked } = await started([{ screen: "runs" }], [scaling]);
    await shows(opened, "scaling");
    opened.session.stores.openRuns.setState({ holders: { [scaling.name]: "dead" } });
    const screen = await shown(opened);
    expect(screen).toContain("holder gone");
    expect(screen).toContain("u take over");
    await opened.type("u");
    expect(asked).toEqual([`resume ${scaling.name}, rollback`]);
  });

  it("is found by phase and by who asked for it", async () => {
    const { app: opened } = await started([{ screen: "runs" }], [held, scaling]);
    await shows(opened, "create held");
    await opened.type("/grace");
    expect(await shown(opened)).toContain("1 of 2 runs");
    await opened.type("\u0015held unfinished\r");
    expect(await shown(opened)).toMatch(/▌✖ +api-gateway-create/);
    await opened.type(leave);
    expect(await shown(opened)).toContain("2 runs");
  });
});

describe("orphans", () => {
  it("are adopted with one key and deleted after the name was typed", async () => {
    const { app: opened, asked } = await started();
    await opened.type(":orphans\r");
    await shows(opened, "the run that made it could not be rolled back");
    await opened.type("a");
    await shows(opened, "ledger accounts for it");
    expect(asked).toEqual(['adopt ["namespace/app-ledger"]']);
    await opened.type("\u0004");
    await shows(opened, "all that is in app-ledger");
    await opened.type("\r");
    expect(asked).toHaveLength(1);
    await opened.type("ledger\r");
    expect(asked.at(-1)).toBe('clean up ledger {"confirmed":"ledger"}');
  });
});
