import { ApiFailure } from "../status.ts";
import { withCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { suffix } from "./names.ts";
import { controllerKey, createPod, isActive, isReady, podsOf } from "./pods.ts";
import { type Condition, jobSpecShape, jobStatusShape, typed } from "./shapes.ts";
import { nowText, type Simulation } from "./simulation.ts";

const component = "job-controller";

/** Runs pods until enough of them have succeeded, or too many have failed. */
export function jobController(simulation: Simulation): Controller {
  const { api, events, random } = simulation;
  return {
    name: "jobs",
    resources: ["batch/jobs", "/pods"],
    *concerns({ resource, object }) {
      if (resource === "batch/jobs") yield keyOf(object);
      else if (resource === "/pods") {
        const key = controllerKey(object, "Job");
        if (key !== undefined) yield key;
      }
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get("batch/jobs", namespace, name);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      const job = typed(stored, jobSpecShape, jobStatusShape);
      if (job.status.conditions.some(({ type }) => type === "Complete" || type === "Failed"))
        return undefined;
      const pods = podsOf(api, job);
      const active = pods.filter(isActive);
      const succeeded = pods.filter(({ status }) => status.phase === "Succeeded").length;
      const failed = pods.filter(({ status }) => status.phase === "Failed").length;
      const now = nowText(simulation);
      const done = succeeded >= job.spec.completions;
      const gaveUp = !done && failed > job.spec.backoffLimit;
      let again: number | undefined;
      let started = 0;
      if (!done && !gaveUp && !job.spec.suspend) {
        const missing = Math.min(job.spec.parallelism, job.spec.completions - succeeded) - active.length;
        for (; started < missing; started++) {
          const generateName = `${name}-`;
          const pod = `${generateName}${suffix(random)}`;
          const labels = {
            "batch.kubernetes.io/controller-uid": job.metadata.uid,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": job.metadata.uid,
            "job-name": name,
          };
          try {
            createPod(api, job, job.spec.template, { name: pod, generateName, labels });
            events.record(job, "Normal", "SuccessfulCreate", `Created pod: ${pod}`, component);
          } catch (error) {
            if (!(error instanceof ApiFailure)) throw error;
            events.record(job, "Warning", "FailedCreate", `Error creating: ${error.message}`, component);
            again = 5000;
            break;
          }
        }
      }
      let conditions: Condition[] = job.status.conditions;
      const finish = (type: string, reason: string, message: string) => {
        conditions = withCondition(
          conditions,
          { type, status: "True", reason, message, lastProbeTime: now },
          now,
        );
      };
      if (done) {
        finish("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods");
        finish("Complete", "CompletionsReached", "Reached expected number of succeeded pods");
        events.record(job, "Normal", "Completed", "Job completed", component);
      } else if (gaveUp) {
        finish("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        finish("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        const message = "Job has reached the specified backoff limit";
        events.record(job, "Warning", "BackoffLimitExceeded", message, component);
      }
      const running = active.length + started;
      api.updateStatus("batch/jobs", {
        ...stored,
        status: {
          startTime: job.status.startTime ?? now,
          ...(running > 0 ? { active: running } : {}),
          ...(succeeded > 0 ? { succeeded } : {}),
          ...(failed > 0 ? { failed } : {}),
          ready: active.filter(isReady).length,
          terminating: pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length,
          uncountedTerminatedPods: {},
          ...(conditions.length > 0 ? { conditions } : {}),
          ...(done ? { completionTime: now } : {}),
        },
      });
      return again;
    },
  };
}
