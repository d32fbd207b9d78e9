import { z } from "zod";
import { systemNamespace } from "../../application/names.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { type Changes, keyOf, Reflector } from "../../cluster/reflector.ts";
import { resources } from "../../cluster/resource.ts";
import { cleanText } from "../../cluster/text.ts";
import type { Timing } from "../../cluster/timing.ts";
import { operationLabel } from "../../provisioning/runs/run-record.ts";
import { serviceOfRun } from "../../provisioning/runs/service-of-run.ts";
import { errorFields, type Log } from "../log.ts";

/** What is kept of a run that makes data stores for an Application. */
export interface ProvisionRun {
  readonly name: string;
  /** Key of the Application that it is about. */
  readonly application: string;
  readonly phase: string;
  /** What it does, or why it rests; cleaned. */
  readonly message: string;
  /** What it was asked for: of which Application, as it was then. */
  readonly uid: string;
  readonly generation: number;
  readonly standards: string;
  /** When it was over, in milliseconds since 1970; undefined where it is not, which one of an Application is at most. */
  readonly finishedAt: number | undefined;
}

const runSchema = z.object({
  spec: z
    .object({
      service: z.string().catch(""),
      sharedNamespace: z.string().optional().catch(undefined),
      parameters: z
        .object({
          application: z.object({ uid: z.string(), generation: z.number(), standards: z.string() }),
        })
        .catch({ application: { uid: "", generation: 0, standards: "" } }),
    })
    .catch({ service: "", parameters: { application: { uid: "", generation: 0, standards: "" } } }),
  status: z
    .object({
      phase: z.string().catch("Pending"),
      message: z.string().catch(""),
      finishedAt: z.string().catch(""),
    })
    .catch({ phase: "Pending", message: "", finishedAt: "" }),
});

const over = ["Succeeded", "RolledBack", "Refused"];

function provisionRun(object: KubeObject): ProvisionRun {
  const { spec, status } = runSchema.parse({ spec: object.spec, status: object.status ?? {} });
  return {
    name: object.metadata.name,
    application: keyOf({ metadata: serviceOfRun(spec) }),
    phase: status.phase,
    message: cleanText(status.message),
    ...spec.parameters.application,
    finishedAt: over.includes(status.phase) ? Date.parse(status.finishedAt) || 0 : undefined,
  };
}

/** The runs that make data stores for Applications, watched. */
export class ProvisionRuns {
  readonly #reflector: Reflector<ProvisionRun>;
  /** By Application, then by run. */
  readonly #runs = new Map<string, Map<string, ProvisionRun>>();
  readonly #onRun: (application: string) => void;
  #complete = false;
  #running: Promise<void> | undefined;

  /** @param onRun - called with the key of each Application of which a run has come, changed or gone */
  constructor(
    { cluster, timing, log }: { readonly cluster: Cluster; readonly timing: Timing; readonly log: Log },
    onRun: (application: string) => void,
  ) {
    this.#onRun = onRun;
    this.#reflector = new Reflector<ProvisionRun>({
      cluster,
      timing,
      resource: resources.runs,
      namespace: systemNamespace,
      labelSelector: `${operationLabel}=provision`,
      mode: "full",
      // Journals are big: few of them are in memory at a time.
      page: 50,
      keep: provisionRun,
      batchMs: 20,
      onChanges: (changes) => this.#take(changes),
      onFreshness: ({ lastError }) => {
        if (lastError !== undefined) log.warn("runs cannot be watched just now", errorFields(lastError));
      },
    });
  }

  /** Watches until the signal aborts; called again, it changes nothing. */
  start(signal: AbortSignal): void {
    this.#running ??= this.#reflector.run(signal);
  }

  /** The runs of an Application, newest first; undefined while not all are known. */
  of(application: string): readonly ProvisionRun[] | undefined {
    if (!this.#complete) return undefined;
    const runs = [...(this.#runs.get(application)?.values() ?? [])];
    // Times of creation are whole seconds.
    const since = ({ finishedAt = Number.POSITIVE_INFINITY }: ProvisionRun) => finishedAt;
    return runs.sort((one, other) => since(other) - since(one));
  }

  #take({ changed, removed, complete }: Changes<ProvisionRun>): void {
    for (const [key, run] of changed) {
      const runs = this.#runs.get(run.application) ?? new Map<string, ProvisionRun>();
      this.#runs.set(run.application, runs.set(key, run));
      this.#onRun(run.application);
    }
    for (const key of removed) {
      for (const [application, runs] of this.#runs) {
        if (!runs.delete(key)) continue;
        if (runs.size === 0) this.#runs.delete(application);
        this.#onRun(application);
      }
    }
    if (complete) this.#complete = true;
  }
}
