import type { Cluster } from "../../cluster/cluster.ts";
import { isClusterError } from "../../cluster/errors.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { Reflector } from "../../cluster/reflector.ts";
import { apiVersionOf, resources } from "../../cluster/resource.ts";
import type { Timing } from "../../cluster/timing.ts";
import { type Exception, guardrailsSpecSchema } from "../../guardrails/crd.ts";
import type { Controller, Enqueue, Reconciled } from "../controller.ts";
import type { Log } from "../log.ts";
import { covers, expired, madeAnew } from "./expired.ts";

export interface ExceptionsOptions {
  readonly cluster: Cluster;
  readonly timing: Timing;
  readonly log: Log;
}

/** Timers are set no further ahead than this, in milliseconds: an exception may last years. */
const longestWaitMs = 60 * 60_000;

/** What a refusal of a pod by the platform's own guardrail says. */
const refusedByGuardrail = "ValidatingAdmissionPolicy 'platform-pods'";

/**
 * Ends what outlives its exception. The policies compare an exception's end with when something was created, so a pod
 * that was let in stays until it is made anew: once the exception is over, each pod that it was about is judged again,
 * as if it were created now, and is deleted where the server would refuse it.
 */
export class ExceptionsController implements Controller {
  readonly name = "exceptions";
  readonly workers = 1;
  readonly #options: ExceptionsOptions;
  readonly #exceptions = new Map<string, readonly Exception[]>();

  constructor(options: ExceptionsOptions) {
    this.#options = options;
  }

  async start(enqueue: Enqueue, signal: AbortSignal): Promise<void> {
    const { cluster, timing } = this.#options;
    if (!(await cluster.serves(resources.guardrails))) return;
    await new Promise<void>((resolve) => {
      const reflector = new Reflector<readonly Exception[]>({
        cluster,
        timing,
        resource: resources.guardrails,
        mode: "full",
        keep: ({ spec }) => guardrailsSpecSchema.safeParse(spec).data?.exceptions ?? [],
        onChanges: ({ changed, removed, complete }) => {
          for (const key of removed) this.#exceptions.delete(key);
          for (const [key, exceptions] of changed) {
            this.#exceptions.set(key, exceptions);
            if (exceptions.length > 0) enqueue(key, "low");
          }
          if (complete) resolve();
        },
      });
      void reflector.run(signal).finally(resolve);
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Reconciled | undefined> {
    const { timing } = this.#options;
    const now = timing.now();
    const { over, next } = expired(this.#exceptions.get(key) ?? [], now);
    if (over.length > 0) await this.#end(key.slice(0, key.indexOf("/")), over, signal);
    return next === undefined
      ? undefined
      : { againMs: Math.min(longestWaitMs, Math.max(1, next - now.getTime())) };
  }

  async #end(namespace: string, over: readonly Exception[], signal: AbortSignal): Promise<void> {
    const { cluster, log } = this.#options;
    const { items } = await cluster.list(resources.pods, { namespace, signal });
    for (const item of items) {
      const pod = { ...item, apiVersion: apiVersionOf(resources.pods), kind: resources.pods.kind };
      const { name, uid, deletionTimestamp } = pod.metadata;
      const exception = over.find((candidate) => covers(candidate, name));
      if (exception === undefined || deletionTimestamp !== undefined) continue;
      if (!(await this.#wouldBeRefused(pod, signal))) continue;
      log.warn("a pod has outlived its exception and is ended", {
        namespace,
        pod: name,
        rule: exception.rule,
        owner: exception.owner,
        expired: exception.expires,
      });
      try {
        await cluster.delete(
          resources.pods,
          { namespace, name },
          { signal, ...(uid === undefined ? {} : { uid }) },
        );
      } catch (error) {
        if (!isClusterError(error, "not-found", "conflict")) throw error;
      }
    }
  }

  /** That there is a pod of this name already is told only after the guardrails have let the new one pass. */
  async #wouldBeRefused(pod: KubeObject, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.cluster.create(resources.pods, madeAnew(pod), { dryRun: true, signal });
      return false;
    } catch (error) {
      if (isClusterError(error, "already-exists")) return false;
      if (isClusterError(error, "forbidden")) return error.message.includes(refusedByGuardrail);
      throw error;
    }
  }
}
