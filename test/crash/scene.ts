import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { ServiceName } from "../../src/application/names.ts";
import type { RunState } from "../../src/provisioning/runs/run.ts";
import { creation, prepared } from "./operations.ts";
import { installFor, type Proxied, startProxied } from "./processes.ts";
import type { ApiProxy } from "./proxy.ts";
import type { Ground } from "./stage.ts";
import { normalised, unequal } from "./survey.ts";

/** A service of its own, and programs in processes that do something with it while they are disturbed. */
export interface Scene {
  readonly ground: Ground;
  readonly victim: ServiceName;
  /** Starts a command through a proxy of its own. */
  start(
    argv: readonly string[],
    prepare?: (proxy: ApiProxy) => void,
    launcher?: readonly string[],
  ): Promise<Proxied>;
  /** The command that creates the victim. */
  readonly create: readonly string[];
  /** The victim's newest run. */
  run(): Promise<RunState>;
  /** Goes on with that run, undisturbed. */
  goOn(verb: "resume" | "retry" | "rollback"): Promise<number | null>;
  /** Expects that the victim has everything, or nothing, as if nothing had happened. */
  expectMade(): Promise<void>;
  expectNothing(): Promise<void>;
}

/** Plays scenes on one ground, at the same time if need be, each with another victim. */
export async function theatre(
  ground: Ground,
): Promise<(play: (scene: Scene) => Promise<void>) => Promise<void>> {
  await installFor(ground);
  const { composed, services } = ground;
  const provisioner = composed.provisioner();
  const victims = services.victims.values();
  let made: Promise<void> | undefined;
  const expectAs = async (victim: ServiceName, reference: ServiceName) => {
    const options = { ownership: true };
    const differences = async () => {
      const { found } = await ground.survey();
      // Who has data destroyed is left a last snapshot.
      const left = normalised(victim, found, options).filter(
        ({ key }) => !key.startsWith("volumesnapshotcontents."),
      );
      return unequal(normalised(reference, found, options), left);
    };
    let found = await differences();
    // Controllers may still be at work on what the runs have left to them.
    for (let tries = 0; tries < 20 && found.length > 0; tries += 1) {
      await delay(1_000);
      found = await differences();
    }
    expect(found).toEqual([]);
  };
  return async (play) => {
    const victim = victims.next().value;
    if (victim === undefined) throw new Error("there are no victims left");
    const children: Proxied[] = [];
    const start: Scene["start"] = async (argv, prepare, launcher) => {
      const child = await startProxied(ground, victim, argv, prepare, launcher);
      children.push(child);
      return child;
    };
    const run = async () => {
      const [newest] = await provisioner.list({ service: victim });
      if (newest === undefined) throw new Error("no run was asked for");
      return provisioner.get(newest.name);
    };
    try {
      await play({
        ground,
        victim,
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
          made ??= prepared(provisioner, services.after, "database");
          await made;
          await expectAs(victim, services.after);
        },
        expectNothing: () => expectAs(victim, services.before),
      });
    } finally {
      for (const { process } of children) process.kill("SIGKILL");
    }
  };
}
