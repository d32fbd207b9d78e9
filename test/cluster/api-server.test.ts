import { describe, expect, onTestFinished, test, vi } from "vitest";
import { resources } from "../../src/cluster/resource.ts";
import { atRest } from "../../src/provisioning/engine/decide.ts";
import type { RunName, RunState } from "../../src/provisioning/runs/run.ts";
import { contradictions } from "../crash/agreement.ts";
import { type Child, startProgram } from "../crash/child.ts";
import { creation, prepared, rollback } from "../crash/operations.ts";
import { installFor } from "../crash/processes.ts";
import type { Ground } from "../crash/stage.ts";
import { normalised, unequal } from "../crash/survey.ts";
import { testApiServer } from "./api-server.ts";
import { skipped, testConnection } from "./connection.ts";
import { onClusterGround } from "./ground.ts";

const connection = testConnection();
const server = testApiServer();

/** Resolves once the program has told this; rejects where it ends without. */
async function told({ process, ended }: Child, text: RegExp): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let out = "";
    process.stdout?.on("data", (more: string) => {
      out += more;
      if (text.test(out)) resolve();
    });
    ended.then(({ err }) => reject(new Error(`it ended without ${text}: ${err}`)), reject);
  });
}

describe("an API server that is killed and started again in mid-run", () => {
  if (connection?.kind !== "kubeconfig" || connection.path === undefined) return test.skip(skipped, () => {});
  if (server === undefined)
    return test.skip("skipped: PLATFORM_TEST_CONTROL names no control plane that may be killed", () => {});
  const { path } = connection;

  test("a creation and a rollback end as if nothing had happened, and who followed them sees it", async () => {
    await onClusterGround(path, async (ground) => {
      await installFor(ground);
      const { composed, services, folder } = ground;
      const provisioner = composed.provisioner();
      const [made, undone] = services.victims;
      if (made === undefined || undone === undefined) throw new Error("no victims");
      const platform = (...argv: readonly string[]) => {
        const child = startProgram(folder, ["--kubeconfig", path, ...argv, "-o", "json"]);
        onTestFinished(() => void child.process.kill("SIGKILL"));
        return child;
      };
      const runOf = async (service: typeof made): Promise<RunName> => {
        const [run] = await provisioner.list({ service });
        if (run === undefined) throw new Error(`${service} has no run`);
        return run.name;
      };
      await Promise.all(
        [services.after, undone].map((service) => prepared(provisioner, service, "database")),
      );

      // The rollback waits for this one, so that it is under way when the server dies, however slow the machine is.
      const held = { namespace: `app-${undone}`, name: `${undone}-metrics` };
      const hold = (finalizers: readonly string[]) =>
        ground.cluster.patch(resources.services, held, { type: "merge", body: { metadata: { finalizers } } });
      await hold(["example.com/held"]);
      const undoing = platform(...(await rollback.argv(provisioner, undone)));
      await told(undoing, /"CompensationStarted"/);
      const undoingFollower = platform("run", "watch", await runOf(undone));
      await told(undoingFollower, /"RollingBack"/);
      const making = platform(...(await creation.argv(provisioner, made)));
      await told(making, /"StepStarted"[^\n]*"provision_database"/);
      const makingRun = await runOf(made);
      const seen: RunState[] = [];
      const leave = new AbortController();
      const following = (async () => {
        for await (const state of provisioner.watch(makingRun, leave.signal)) {
          seen.push(state);
          if (atRest(state)) return;
        }
      })();
      await expect.poll(() => seen.length).toBeGreaterThan(0);

      const killedAt = new Date();
      await server.killAndRestart();
      for (const child of [making, undoing]) expect(child.process.exitCode).toBe(null);
      await vi.waitFor(() => hold([]), { timeout: 60_000, interval: 500 });

      for (const child of [making, undoing]) {
        const { code, err } = await child.ended;
        expect(code, err).toBe(0);
      }
      await following;
      leave.abort();
      expect(seen.at(-1)?.phase).toBe("Succeeded");
      // What the run was for is undone: a script that follows it is told so.
      const { code, out } = await undoingFollower.ended;
      expect(code).toBe(1);
      expect(out).toContain('"phase":"RolledBack"');
      for (const [service, phase] of [
        [made, "Succeeded"],
        [undone, "RolledBack"],
      ] as const) {
        const state = await provisioner.get(await runOf(service));
        expect(state.phase).toBe(phase);
        expect(Date.parse(state.finishedAt ?? "")).toBeGreaterThan(killedAt.getTime());
      }
      await expectAsUndisturbed(ground, made, services.after);
      await expectAsUndisturbed(ground, undone, services.before);
    });
  });
});

async function expectAsUndisturbed(
  ground: Ground,
  service: (typeof ground.services.victims)[number],
  reference: (typeof ground.services.victims)[number],
): Promise<void> {
  await expect
    .poll(
      async () => {
        const { found, told } = await ground.survey();
        const [wanted, left] = [reference, service].map((of) => normalised(of, found, { ownership: true }));
        const data = (left ?? []).filter(({ key }) => key.startsWith("volumesnapshotcontents."));
        return [
          ...unequal(
            wanted ?? [],
            (left ?? []).filter((entry) => !data.includes(entry)),
          ),
          ...contradictions(service, found, told),
        ];
      },
      { timeout: 60_000, interval: 1_000 },
    )
    .toEqual([]);
}
