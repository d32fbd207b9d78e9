import { afterEach, describe, expect, it } from "vitest";
import type { Provisioner } from "../../../src/provisioning/provisioner.ts";
import type { Execution, RunState } from "../../../src/provisioning/runs/run.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import type { UseCases } from "../../../src/state/feeds/feed.ts";
import { dashboard, deletePlan, held, plan, preview, running, sharing } from "./examples.ts";
import { type Opened, open } from "./terminal.ts";

let app: Opened | undefined;
afterEach(() => app?.close());

/** A provisioner whose runs go on until the test says otherwise, and a record of what was asked of it. */
function byHand() {
  const asked: string[] = [];
  let tell: (state: RunState) => void = () => {};
  let state = running;
  const execution = (): Execution => {
    const finished = Promise.withResolvers<RunState>();
    const rest = (next: RunState) => {
      state = next;
      tell(next);
      if (next.phase !== "Running") finished.resolve(next);
    };
    come = rest;
    return {
      name: running.name,
      by: "this-process",
      state,
      subscribe: (listener) => {
        tell = (next) => listener({ type: "RunHeld", at: "" }, next);
        return () => {};
      },
      finished: finished.promise,
      retryNow: () => asked.push("retry now"),
      interrupt: async (reason) => {
        asked.push(`interrupt: ${reason}`);
        rest({ ...running, phase: "Interrupted" });
      },
    };
  };
  let come: (next: RunState) => void = () => {};
  const provisioner: Partial<Provisioner> = {
    planCreate: async () => ({ plan, manifests: [], diff: [] }),
    planDelete: async (service, dataStores, namespace = "") => {
      asked.push(`plan to delete ${service} in ${namespace}, ${dataStores}`);
      return { plan: { ...deletePlan, service, sharedNamespace: namespace }, manifests: [], diff: [] };
    },
    delete: async (service, { dataStores, namespace, confirmed }) => {
      asked.push(`delete ${service} in ${namespace}, ${dataStores}, confirmed ${confirmed}`);
      return execution();
    },
    create: async ({ name }, { onFailure }) => {
      asked.push(`create ${name}, ${onFailure}`);
      return execution();
    },
    resume: async (run) => {
      asked.push(`resume ${run}`);
      state = running;
      return execution();
    },
    retry: async (run) => {
      asked.push(`retry ${run}`);
      state = running;
      return execution();
    },
    rollback: async (run, { dataStores }) => {
      asked.push(`rollback ${run}, ${dataStores}`);
      return execution();
    },
    previewRollback: async (_, dataStores) => ({ ...preview, destroysData: dataStores === "delete" }),
    get: async () => state,
    list: async () => [state],
    watch: async function* (_, signal) {
      yield state;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  const useCases = {
    provisioner,
    cluster: { context: "sandbox", simulated: true },
    standards: standardsSchema.parse({}),
    clock: { sleep: () => new Promise(() => {}), now: () => new Date() },
  } as unknown as UseCases;
  return { asked, useCases, come: (next: RunState) => come(next) };
}

async function started(services = dashboard) {
  const hand = byHand();
  app = open({
    useCases: hand.useCases,
    fleet: async (stores) => stores.fleet.setState({ status: "ready", services }),
  });
  await app.screen();
  return { ...hand, app };
}

const shown = async (opened: Opened) => {
  opened.hands.pass(100);
  return opened.screen();
};

describe("making a service", () => {
  it("shows the plan, creates once however often enter is pressed, and holds on failure", async () => {
    const { app: opened, asked, come } = await started();
    await opened.type("nledger-two\u0010");
    expect(await shown(opened)).toContain("enter creates api-gateway in 4 steps");
    await opened.type("\r\r\r");
    expect(asked).toEqual(["create ledger-two, hold"]);
    expect(await shown(opened)).toContain("Namespace and guardrails");
    come(held);
    const screen = await shown(opened);
    expect(screen).toContain("held at Database");
    expect(screen).toContain("exceeded quota");
  });

  it("keeps the draft when one leaves, and comes back to the same question", async () => {
    const { app: opened } = await started();
    await opened.type("nshop\r");
    await opened.type("\u001b");
    expect(await shown(opened)).toContain("kept as a draft");
    await opened.type("n");
    const screen = await shown(opened);
    expect(screen).toContain("shop");
    expect(screen).toContain("2 of 8");
  });
});

describe("a run of this terminal", () => {
  async function going() {
    const hand = await started();
    await hand.app.type("nledger-two\u0010");
    await hand.app.type("\r");
    await shown(hand.app);
    return hand;
  }

  it("asks on ctrl-c, and goes on when told to", async () => {
    const { app: opened, asked } = await going();
    await opened.type("\u0003");
    const screen = await shown(opened);
    for (const word of ["Go on", "Roll back", "Cancel", `run resume ${running.name}`])
      expect(screen).toContain(word);
    await opened.type("g");
    expect(await shown(opened)).toContain("creating");
    expect(asked).toHaveLength(1);
  });

  it("is stopped between two writes and left resumable", async () => {
    const { app: opened, asked } = await going();
    await opened.type("\u0003x");
    expect(await shown(opened)).toContain("Stopped between two writes");
    expect(asked).toContain("interrupt: cancelled");
    await opened.type("u");
    expect(asked.at(-1)).toBe(`resume ${running.name}`);
  });

  it("asks before the app is left, and is stopped then", async () => {
    const { app: opened, asked } = await going();
    await opened.type("\u001b");
    await opened.type("q");
    expect(await shown(opened)).toContain("still going");
    await opened.type("x");
    expect(await opened.session.left).toBe(0);
    expect(asked.some((each) => each.startsWith("interrupt"))).toBe(true);
  });
});

describe("rolling back", () => {
  it("is one key and a look at what goes", async () => {
    const { app: opened, asked } = await started();
    await opened.type("b");
    expect(await shown(opened)).toContain("namespace app-ledger and what is in it");
    await opened.type("\r");
    expect(asked).toEqual(["rollback ledger-create-x2m9, keep-used"]);
  });

  it("asks for the service's name where data would be destroyed", async () => {
    const { app: opened, asked } = await started();
    await opened.type("b");
    await opened.type("\t\t");
    expect(await shown(opened)).toContain("This destroys data");
    await opened.type("\r");
    expect(await shown(opened)).toContain("type ledger first");
    expect(asked).toEqual([]);
    await opened.type("ledger\r");
    expect(asked).toEqual(["rollback ledger-create-x2m9, delete"]);
  });
});

describe("finding one's way", () => {
  it("says why a key does nothing", async () => {
    const { app: opened } = await started();
    await opened.type("jj");
    await opened.type("r");
    expect(await shown(opened)).toContain("create api-gateway succeeded: b roll back");
  });

  it("filters while one types and shows all again on escape", async () => {
    const { app: opened } = await started();
    await opened.type("/bill");
    const screen = await shown(opened);
    expect(screen).toContain("billing");
    expect(screen).not.toContain("checkout");
    await opened.type("\u001b");
    expect(await shown(opened)).toContain("checkout");
  });

  it("goes anywhere from the palette, services by name too", async () => {
    const { app: opened } = await started();
    await opened.type(":runs\r");
    expect(await shown(opened)).toContain("› runs");
    await opened.type(":search\r");
    expect(await shown(opened)).toContain("› search");
  });

  it("leaves on the second ctrl-c, not on the first", async () => {
    const { app: opened } = await started();
    await opened.type("\u0003");
    expect(await shown(opened)).toContain("ctrl-c again leaves");
    await opened.type("\u0003");
    expect(await opened.session.left).toBe(0);
  });

  it("keeps the cursor on its service while others change places", async () => {
    const { app: opened } = await started();
    await opened.type("jjj");
    expect(await shown(opened)).toMatch(/▌✔ billing/);
    const [first, ...rest] = dashboard;
    opened.session.stores.fleet.setState({ services: first === undefined ? [] : [...rest, first] });
    expect(await shown(opened)).toMatch(/▌✔ billing/);
  });
});

describe("services that share a namespace", () => {
  it("are filtered by it, and opened each as itself", async () => {
    const { app: opened } = await started(sharing);
    await opened.type("/production api\r");
    const left = await shown(opened);
    expect(left.match(/api-gateway prod/g)).toHaveLength(2);
    expect(left).not.toContain("ledger");
    await opened.type("j\r");
    const second = await shown(opened);
    expect(second).toContain("› production-eu-central/api-gateway");
    expect(second).toContain("kubectl edit -n production-eu-central applications.platform/api-gateway");
    await opened.type("\u001b");
    await opened.type(":production/led\r");
    expect(await shown(opened)).toContain("› production/ledger");
  });

  it("are changed by no run: each key says what to type instead", async () => {
    const { app: opened, asked } = await started(sharing);
    for (const keys of ["+", "i", "e", "b"]) {
      await opened.type(keys);
      expect(await shown(opened)).toContain(
        "no run changes it: kubectl edit -n production applications.platform/ledger",
      );
    }
    await opened.type("j");
    await opened.type("\u0004");
    expect(await shown(opened)).toContain("it is no service: platform namespace unmanage staging");
    expect(asked).toEqual([]);
  });

  it("are deleted by a run, once their name is typed", async () => {
    const { app: opened, asked, come } = await started(sharing);
    await opened.type("\u0004");
    const review = await shown(opened);
    expect(review).toContain("› delete production/ledger");
    expect(review).toContain("enter deletes production/ledger in 3 steps");
    expect(review).toContain("Type ledger to delete it");
    expect(review).toContain("platform --sandbox service delete production/ledger --data-stores keep");
    await opened.type("\r");
    expect(await shown(opened)).toContain("type ledger first");
    await opened.type("\t");
    expect(await shown(opened)).toContain("delete them, with what is in them");
    await opened.type("ledger\r");
    expect(asked).toEqual([
      "plan to delete ledger in production, keep",
      "plan to delete ledger in production, delete",
      "delete ledger in production, delete, confirmed ledger",
    ]);
    const deletion = { operation: "delete", service: "ledger", sharedNamespace: "production" } as const;
    come({ ...running, ...deletion, phase: "Succeeded" });
    expect(await shown(opened)).toContain("production/ledger is deleted.");
  });

  it("have a held run gone on with from their row, and lead back from it", async () => {
    const lastRun = { name: held.name, operation: "provision", phase: "Held", at: "" } as const;
    const {
      app: opened,
      asked,
      come,
    } = await started(sharing.map((row) => (row.name === "ledger" ? { ...row, lastRun } : row)));
    await opened.type("r");
    expect(asked).toEqual([`retry ${held.name}`]);
    come({ ...held, operation: "provision", service: "ledger", sharedNamespace: "production" });
    expect(await shown(opened)).toContain("› provision production/led");
    await opened.type("b");
    expect(await shown(opened)).toContain("production/ledger › roll back");
    await opened.type("\u001b");
    await opened.type("o");
    expect(await shown(opened)).toContain("kubectl edit -n production applications.platform/ledger");
  });

  it("do not take the name that a new service would get", async () => {
    const { app: opened } = await started(sharing);
    await opened.type("nledger\r");
    expect(await shown(opened)).toContain("2 of 8");
  });
});
