import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { resources } from "../../src/cluster/resource.ts";
import type { Clock } from "../../src/provisioning/clock.ts";
import { impatient } from "../provisioning/composition.ts";
import { prepared } from "./operations.ts";
import type { Proxied } from "./processes.ts";
import type { ApiProxy, Fate, Passing } from "./proxy.ts";
import { type Scene, theatre } from "./scene.ts";
import type { Ground } from "./stage.ts";

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

/** Whether a Service that is to go is held up, and the workloads and the data beside it are gone. */
async function heldUp(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<boolean> {
  const { deployments, statefulSets, pods, persistentVolumeClaims } = resources;
  const [service, ...lists] = await Promise.all([
    cluster.get(resources.services, { namespace, name }),
    ...[deployments, statefulSets, pods, persistentVolumeClaims].map((resource) =>
      cluster.listMetadata(resource, { namespace }),
    ),
  ]);
  return service.metadata.deletionTimestamp !== undefined && lists.every(({ items }) => items.length === 0);
}

/** Opens a ground, as `withGround` does. */
export type OpenGround = (work: (ground: Ground) => Promise<void>) => Promise<void>;

export interface DisturbanceOptions {
  /** Requests that a slow server is slow for. */
  readonly slowRequests: number;
  /** Also a server that stops answering, which takes minutes. */
  readonly silence: boolean;
}

/**
 * What becomes of runs of the program that are disturbed, told on the embedded cluster and on a real one alike. They
 * play at the same time, each with a service of its own.
 */
export function disturbances(
  title: string,
  withGround: OpenGround,
  { slowRequests, silence }: DisturbanceOptions,
): void {
  describe(title, { concurrent: true }, () => {
    let scene: (play: (scene: Scene) => Promise<void>) => Promise<void>;
    let close = () => {};
    let closed: Promise<void> | undefined;
    beforeAll(async () => {
      const opened = Promise.withResolvers<Ground>();
      closed = withGround((ground) => {
        opened.resolve(ground);
        return new Promise((resolve) => {
          close = resolve;
        });
      });
      closed.catch(opened.reject);
      scene = await theatre(await opened.promise);
    });
    afterAll(async () => {
      close();
      await closed;
    });

    test.for<{
      readonly what: string;
      readonly fate: () => Fate | Promise<Fate>;
      readonly requests: number;
    }>([
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
        requests: slowRequests,
      },
    ])("by $what, comes to its end by itself", async ({ fate, requests }, { expect }) => {
      await scene(async ({ create, start, run, expectMade }) => {
        const child = await start(create, (proxy) => proxy.meet(from(middle, forRequests(requests, fate))));
        const { code, err } = await child.over;
        expect(code, err).toBe(0);
        expect((await run()).phase).toBe("Succeeded");
        await expectMade();
      });
    });

    test("by credentials that are revoked, says so, and is resumed once there are others", async ({
      expect,
    }) => {
      await scene(async ({ victim, create, start, run, goOn, expectMade }) => {
        const child = await start(create, (proxy) => proxy.meet(from(middle, () => "revoked")));
        const { code, err } = await child.over;
        // It had begun: effects remain.
        expect(code, err).toBe(3);
        expect(err).toMatch(new RegExp(`${victim}-create-.*credentials`));
        expect((await run()).phase).toBe("Running");
        expect(await goOn("resume")).toBe(0);
        await expectMade();
      });
    });

    test.runIf(silence)("by a server that stops answering, says so, and is resumed", async ({ expect }) => {
      await scene(async ({ victim, create, start, run, goOn, expectMade }) => {
        const child = await start(create, (proxy) => proxy.meet(from(middle, () => "silence")));
        const { code, err } = await child.over;
        // It had begun: effects remain.
        expect(code, err).toBe(3);
        expect(err).toMatch(new RegExp(`${victim}-create-.*did not answer`));
        expect((await run()).phase).toBe("Running");
        expect(await goOn("resume")).toBe(0);
        await expectMade();
      });
    });

    test("by somebody who deletes its namespace, is held and rolls back to nothing", async ({ expect }) => {
      await scene(async ({ ground, victim, create, start, run, goOn, expectNothing }) => {
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

    const limits = spawnSync("prlimit", ["--version"]).error === undefined;
    test.runIf(limits)(
      "by a disk that is full, is held, and goes on once there is room",
      async ({ expect }) => {
        await scene(async ({ create, start, run, goOn, expectMade }) => {
          const { code, err } = await (await start(create, undefined, ["prlimit", "--fsize=0"])).over;
          expect(code, err).toBe(3);
          expect((await run()).phase).toBe("Held");
          expect(await goOn("retry")).toBe(0);
          await expectMade();
        });
      },
    );

    test("by watches that are cut, is followed to its end in another terminal", async ({ expect }) => {
      await scene(async ({ create, start, run, expectMade }) => {
        const followers: ApiProxy[] = [];
        const child = await start(create, (proxy) =>
          proxy.meet((passing) => {
            if (passing.names.length > 0) for (const follower of followers) follower.cutWatches();
            return "pass";
          }),
        );
        await expect.poll(run, { timeout: 60_000, interval: 200 }).toMatchObject({ phase: "Running" });
        const { name } = await run();
        const watching = await start(["run", "watch", name, "-o", "json"], (proxy) => followers.push(proxy));
        expect((await child.over).code).toBe(0);
        const { code, out } = await watching.over;
        expect(code).toBe(0);
        expect(out).toContain('"phase":"Succeeded"');
        await expectMade();
      });
    });

    test("stopped, taken over and woken, writes nothing more", async ({ expect, onTestFinished }) => {
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
        expect(err).toMatch(/taken over|was taken|rolled back|writes nothing more/);
        expect(written).toEqual([]);
        expect((await run()).phase).toBe("RolledBack");
        await expectNothing();
      });
    });

    test("its roll back, held by a finalizer that never ends, names what is left and is finished once that is gone", async ({
      expect,
      onTestFailed,
    }) => {
      await scene(async ({ ground, victim, goOn, run, expectNothing }) => {
        await prepared(ground.composed.provisioner(), victim, "database");
        const place = { namespace: `app-${victim}`, name: `${victim}-metrics` };
        const finalize = (finalizers: readonly string[]) =>
          ground.cluster.patch(resources.services, place, {
            type: "merge",
            body: { metadata: { finalizers } },
          });
        await finalize(["example.com/never"]);
        // Nothing is left to hold up a cluster that others use.
        onTestFailed(() => finalize([]).then(() => {}));
        // A minute goes by, time and again, whenever only the finalizer is left to wait for.
        let gone = 0;
        const clock: Clock = {
          now: () => new Date(Date.now() + gone),
          sleep: (ms, signal) => impatient.sleep(ms, signal),
        };
        const { name } = await run();
        const hurried = ground.composed.provisioner({ clock });
        const execution = await hurried.rollback(name, { dataStores: "delete", confirmed: victim });
        let over = false;
        const finished = execution.finished.finally(() => {
          over = true;
        });
        while (!over) {
          if (await heldUp(ground.cluster, place)) gone += 60_000;
          await delay(500);
        }
        const state = await finished;
        expect(state.phase).toBe("RollbackFailed");
        expect(state.orphans).toContainEqual(expect.objectContaining({ type: "Service", name: place.name }));
        expect(JSON.stringify(state.steps.map(({ error }) => error))).toContain("example.com/never");
        await finalize([]);
        expect(await goOn("rollback")).toBe(0);
        await expectNothing();
      });
    });
  });
}
