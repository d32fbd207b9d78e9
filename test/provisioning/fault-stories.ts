import { expect, test } from "vitest";
import { all } from "../crash/crash-test.ts";
import { sampleOf, seeded, seedOfRun } from "../crash/random.ts";
import { type Fault, faulty, faultyHost } from "./fault.ts";
import { named, onStage, type Stage, whole } from "./telling.ts";

/** The first write of each step fails in one of these ways; `verify` writes nothing, so its first read does. */
const faults: readonly (Fault & { readonly host?: true })[] = [
  { step: "create_namespace", write: 1, time: "before" },
  { step: "create_namespace", write: 1, time: "after" },
  { step: "create_namespace", write: 4, time: "after" },
  { step: "provision_database", write: 1, time: "after" },
  { step: "provision_database", write: 3, time: "before" },
  { step: "provision_cache", write: 2, time: "after" },
  { step: "generate_manifests", write: 1, time: "before", host: true },
  { step: "configure_cicd", write: 2, time: "after", host: true },
  { step: "setup_monitoring", write: 2, time: "after" },
  { step: "configure_network", write: 1, time: "after" },
  { step: "apply_kubernetes", write: 1, time: "after" },
  { step: "apply_kubernetes", write: 3, time: "before" },
  { step: "verify", write: 1, time: "before" },
];

/**
 * Whatever fails, on the embedded cluster and on a real one alike, nothing is left behind.
 * @param most - faults, chosen by a seed, where not all are asked for; left out: all of them
 */
export function faultStories(title: string, open: () => Promise<Stage>, most = faults.length): void {
  const chosen = all ? faults : sampleOf(faults, most, seeded(seedOfRun()));
  onStage(title, open, ({ stage, made, leftOf, removeRuns, rolledBack }) => {
    test.each(chosen)("a fault at $step (write $write, $time it) rolls back to nothing", async (fault) => {
      const service = named("story-fault");
      const provisioner =
        fault.host === true
          ? made.provisioner({ codeHost: faultyHost(made.codeHost, fault) })
          : made.provisioner({ cluster: faulty(stage.cluster, { ...fault, times: 1 }) });
      const execution = await provisioner.create(whole(service), { onFailure: "rollback" });
      const state = await execution.finished;
      expect(state.failure?.step).toBe(fault.step);
      if (state.reachedReady) {
        // Its data stores are in use by then, and kept unless one says otherwise.
        expect(state.phase).toBe("RolledBack");
        const left = await made.provisioner().delete(service, { dataStores: "delete", confirmed: service });
        expect((await left.finished).phase).toBe("Succeeded");
        expect(await leftOf(service)).toEqual([]);
      } else {
        await rolledBack(service, execution);
      }
      await removeRuns(service);
    });
  });
}
