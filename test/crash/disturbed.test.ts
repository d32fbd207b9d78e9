import { type ChildProcess, spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ServiceName, serviceNameSchema } from "../../src/application/names.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { Clock } from "../../src/provisioning/clock.ts";
import type { RunState } from "../../src/provisioning/run.ts";
import { impatient } from "../provisioning/composition.ts";
import { all } from "./crash-test.ts";
import { type Arena, killsOf, suffer, writesOf } from "./kills.ts";
import { creation, prepared } from "./operations.ts";
import { installFor, type Proxied, startProxied } from "./processes.ts";
import type { ApiProxy, Fate, Passing } from "./proxy.ts";
import { sampleOf, seeded, seedOfRun } from "./random.ts";
import { type Ground, inProcess, withGround } from "./stage.ts";
import { normalised, unequal } from "./survey.ts";

const victim = serviceNameSchema.parse("victimx");

/** A ground with two services that nothing happens to: one not made, one made. */
interface Scene {
  readonly ground: Ground;
  /** Starts a command through a proxy of its own. */
  start(
    argv: readonly string[],
    prepare?: (proxy: ApiProxy) => void,
    launcher?: readonly string[],
  ): Promise<Proxied>;
  /** The command that creates the victim. */
  readonly create: readonly string[];
  run(): Promise<RunState>;
  /** Goes on with the run of the victim, undisturbed. */
  goOn(verb: "resume" | "retry" | "rollback"): Promise<number | null>;
  /** Expects that the victim has everything, or nothing, as if nothing had happened. */
  expectMade(): Promise<void>;
  expectNothing(): Promise<void>;
}

function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  return withGround(undefined, async (ground) => {
    const { sandbox, folder, composed } = ground;
    const upstream = { url: sandbox.url, token: sandbox.token, socketPath: sandbox.socketPath };
    await installFor(ground);
    const children: ChildProcess[] = [];
    const provisioner = composed.provisioner();
    const run = async () => {
      const [newest] = await provisioner.list({ service: victim });
      if (newest === undefined) throw new Error("no run was asked for");
      return provisioner.get(newest.name);
    };
    const start: Scene["start"] = async (argv, prepare, launcher) => {
      const child = await startProxied({ folder, upstream }, victim, argv, prepare, launcher);
      children.push(child.process);
      return child;
    };
    const expectAs = async (reference: ServiceName) => {
      const { found } = await ground.survey();
      const options = { ownership: true };
      // Who has data destroyed is left a last snapshot.
      const left = normalised(victim, found, options).filter(
        ({ key }) => !key.startsWith("volumesnapshotcontents."),
      );
      expect(unequal(normalised(reference, found, options), left)).toEqual([]);
    };
    const scene: Scene = {
      ground,
      create: await creation.argv(provisioner, victim),
      start,
      run,
      async goOn(verb) {
        const { name } = await run();
        const words = verb === "rollback" ? ["--data-stores", "delete", "--confirm", victim, "--yes"] : [];
        const { code } = await (await start(["run", verb, name, ...words])).over;
        return code;
      },
      async expectMade() {
        await prepared(provisioner, ground.services.after, "database");
        await expectAs(ground.services.after);
      },
      expectNothing: () => expectAs(ground.services.before),
    };
    try {
      await play(scene);
    } finally {
      for (const child of children) child.kill("SIGKILL");
    }
  });
}

/** What happens to requests from a write on, that one included. */
function from(write: string, then: (passing: Passing) => Fate | Promise<Fate>) {
  let begun = false;
  return (passing: Passing) => {
    begun ||= passing.names.includes(write);
    return begun ? then(passing) : "pass";
  };
}

/** The same for a number of requests only. */
function forRequests(count: number, then: () => Fate | Promise<Fate>) {
  let left = count;
  return () => {
    left -= 1;
    return left >= 0 ? then() : "pass";
  };
}

const middle = "journal StepStarted provision_database";

describe("a creation, disturbed", () => {
  test.each<{ readonly what: string; readonly fate: () => Fate | Promise<Fate>; readonly requests: number }>([
    {
      what: "a server that is busy (429)",
      fate: () => ({ status: 429, headers: { "retry-after": "1" } }),
      requests: 30,
    },
    { what: "a server that fails (500)", fate: () => ({ status: 500 }), requests: 10 },
    { what: "connections that break", fate: () => "reset", requests: 10 },
    {
      what: "a server that takes 2 s for each answer",
      fate: async (): Promise<Fate> => {
        await delay(2_000);
        return "pass";
      },
      requests: all ? 200 : 20,
    },
  ])("by $what, comes to its end by itself", async ({ fate, requests }) => {
    await scene(async ({ create, start, run, expectMade }) => {
      const child = await start(create, (proxy) => proxy.meet(from(middle, forRequests(requests, fate))));
      const { code, err } = await child.over;
      expect(code, err).toBe(0);
      expect((await run()).phase).toBe("Succeeded");
      await expectMade();
    });
  });

  test("by credentials that are revoked, says so, and is resumed once there are others", async () => {
    await scene(async ({ create, start, run, goOn, expectMade }) => {
      const child = await start(create, (proxy) => proxy.meet(from(middle, () => ({ status: 401 }))));
      const { code, err } = await child.over;
      // It had begun: effects remain.
      expect(code, err).toBe(3);
      expect(err).toMatch(/victimx-create-.*credentials/);
      expect((await run()).phase).toBe("Running");
      expect(await goOn("resume")).toBe(0);
      await expectMade();
    });
  });

  test.runIf(all)("by a server that stops answering, says so, and is resumed", async () => {
    await scene(async ({ create, start, run, goOn, expectMade }) => {
      const child = await start(create, (proxy) => proxy.meet(from(middle, () => "silence")));
      const { code, err } = await child.over;
      expect(code, err).toBe(5);
      expect((await run()).phase).toBe("Running");
      expect(await goOn("resume")).toBe(0);
      await expectMade();
    });
  });

  test("by somebody who deletes its namespace, is held and rolls back to nothing", async () => {
    await scene(async ({ ground, create, start, run, goOn, expectNothing }) => {
      let gone: Promise<void> | undefined;
      const child = await start(create, (proxy) =>
        proxy.meet(
          from("journal EffectsIntended apply_kubernetes", async (): Promise<Fate> => {
            gone ??= ground.cluster.delete(resources.namespaces, { name: `app-${victim}` });
            await gone;
            return "pass";
          }),
        ),
      );
      const { code, err } = await child.over;
      expect(code, err).toBe(3);
      expect((await run()).phase).toBe("Held");
      expect(await goOn("rollback")).toBe(0);
      await expectNothing();
    });
  });

  test("by a disk that is full, is held, and goes on once there is room", async () => {
    const limited = ["prlimit", "--fsize=0"];
    if (spawnSync("prlimit", ["--version"]).error !== undefined) return;
    await scene(async ({ create, start, run, goOn, expectMade }) => {
      const { code, err } = await (await start(create, undefined, limited)).over;
      expect(code, err).toBe(3);
      expect((await run()).phase).toBe("Held");
      expect(await goOn("retry")).toBe(0);
      await expectMade();
    });
  });

  test("by watches that are cut, is followed to its end in another terminal", async () => {
    await scene(async ({ create, start, run, expectMade }) => {
      const followers: ApiProxy[] = [];
      const child = await start(create, (proxy) =>
        proxy.meet((passing) => {
          if (passing.names.length > 0) for (const follower of followers) follower.cutWatches();
          return "pass";
        }),
      );
      await expect.poll(run, { timeout: 20_000 }).toMatchObject({ phase: "Running" });
      const { name } = await run();
      const watching = await start(["run", "watch", name, "-o", "json"], (proxy) => followers.push(proxy));
      expect((await child.over).code).toBe(0);
      const { code, out } = await watching.over;
      expect(code).toBe(0);
      expect(out).toContain('"phase":"Succeeded"');
      await expectMade();
    });
  });

  test("stopped, taken over and woken, writes nothing more", async () => {
    await scene(async ({ create, start, run, goOn, expectNothing }) => {
      let asleep = false;
      let stopped: () => void = () => {};
      const sleeping = new Promise<void>((resolve) => {
        stopped = resolve;
      });
      const written: string[] = [];
      let child: Proxied | undefined;
      child = await start(create, (proxy) => {
        proxy.onTaken((request) => written.push(request));
        proxy.meet(
          from("journal EffectsIntended provision_database", ({ names }) => {
            if (!asleep && names.length > 0) {
              asleep = true;
              child?.process.kill("SIGSTOP");
              stopped();
            }
            return "pass";
          }),
        );
      });
      const { process, over } = child;
      onTestFinished(() => {
        process.kill("SIGCONT");
      });
      await sleeping;
      expect(await goOn("rollback")).toBe(0);
      await expectNothing();
      // What it had sent before it was stopped was its to send.
      written.length = 0;
      process.kill("SIGCONT");
      const { code, err } = await over;
      expect(code, err).not.toBe(0);
      expect(err).toMatch(/taken over|was taken|rolled back/);
      expect(written).toEqual([]);
      expect((await run()).phase).toBe("RolledBack");
      await expectNothing();
    });
  });

  test("by clocks that are minutes apart, ends as if nothing had happened", async () => {
    const seed = seedOfRun();
    const minutesOff = (engine: number): Clock => ({
      now: () => new Date(impatient.now().getTime() + (engine % 2 === 0 ? 7 : -7) * 60_000),
      sleep: (ms, signal) => impatient.sleep(ms, signal),
    });
    const arena: Arena = (work) =>
      withGround(undefined, (ground) => work(inProcess(ground, { clockOf: minutesOff })));
    const kills = killsOf(await writesOf(creation, arena), creation.recoveries, { all: false });
    const chosen = sampleOf(kills, all ? kills.length : 8, seeded(seed));
    const { problems } = await suffer(creation, chosen, arena);
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });

  test("its roll back, held by a finalizer that never ends, names what is left and is finished once that is gone", async () => {
    await scene(async ({ ground, goOn, run, expectNothing }) => {
      await prepared(ground.composed.provisioner(), victim, "database");
      const place = { namespace: `app-${victim}`, name: `${victim}-metrics` };
      const body = (finalizers: readonly string[]) => ({ metadata: { finalizers } });
      await ground.cluster.patch(resources.services, place, {
        type: "merge",
        body: body(["example.com/never"]),
      });
      const start = Date.now();
      // Ten minutes of waiting pass in seconds.
      const clock: Clock = {
        now: () => new Date(start + (Date.now() - start) * 100),
        sleep: (ms, signal) => impatient.sleep(ms / 100, signal),
      };
      const { name } = await run();
      const hurried = ground.composed.provisioner({ clock });
      const state = await (await hurried.rollback(name, { dataStores: "delete", confirmed: victim }))
        .finished;
      expect(state.phase).toBe("RollbackFailed");
      expect(state.orphans).toContainEqual(expect.objectContaining({ type: "Service", name: place.name }));
      expect(JSON.stringify(state.steps.map(({ error }) => error))).toContain("example.com/never");
      await ground.cluster.patch(resources.services, place, { type: "merge", body: body([]) });
      expect(await goOn("rollback")).toBe(0);
      await expectNothing();
    });
  });
});
