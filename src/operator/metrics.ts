import type { Counter, Gauge, Histogram } from "prom-client";
import type { Controller } from "./controller.ts";
import type { Queue } from "./queue.ts";
import type { ControllerObserver } from "./runner.ts";

/** What the operator counts, under controller-runtime's and client-go's names, so that dashboards for those fit. */
export interface OperatorMetrics {
  /** Begins to count for a controller. */
  controller(
    controller: Pick<Controller, "name" | "workers">,
    queue: Pick<Queue, "depth" | "inHand">,
  ): ControllerObserver;
  /** Whether this process holds a shard. */
  leading(shard: number, held: boolean): void;
  /** A request to the API server was answered; `code` is its status, or `<error>` where no answer came. */
  request(method: string, code: string): void;
  /** All of it, for a scrape. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** controller-runtime's, in seconds. */
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** controller-runtime's, in seconds: from 10 ns, ten times as much each. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8));

/**
 * Loads the library only now: no other face needs it.
 * @param leaseOf - name of a shard's Lease
 */
export async function createMetrics(leaseOf: (shard: number) => string): Promise<OperatorMetrics> {
  const { default: prometheus } = await import("prom-client");
  const registry = new prometheus.Registry();
  const registers = [registry];
  prometheus.collectDefaultMetrics({ register: registry });
  /** Queues by controller; a new term's replaces the one before. */
  const queues = new Map<string, Pick<Queue, "depth" | "inHand">>();
  const names = ["name", "controller"] as const;

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new prometheus.Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new prometheus.Gauge({ name, help, labelNames: [...labelNames], registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ) => new prometheus.Histogram({ name, help, labelNames: [...labelNames], buckets, registers });
  /** Read from the queues at each scrape. */
  const ofQueues = (name: string, help: string, value: (queue: Pick<Queue, "depth" | "inHand">) => number) =>
    new prometheus.Gauge({
      name,
      help,
      labelNames: [...names],
      registers,
      collect() {
        for (const [controller, queue] of queues) this.set({ name: controller, controller }, value(queue));
      },
    });

  const reconciles: Counter<"controller" | "result"> = counter(
    "controller_runtime_reconcile_total",
    "Reconciles by how they ended",
    ["controller", "result"],
  );
  const errors = counter("controller_runtime_reconcile_errors_total", "Reconciles that failed", [
    "controller",
  ]);
  const times = histogram(
    "controller_runtime_reconcile_time_seconds",
    "Length of reconciles",
    ["controller"],
    reconcileBuckets,
  );
  const most = gauge("controller_runtime_max_concurrent_reconciles", "Workers", ["controller"]);
  const active = gauge("controller_runtime_active_workers", "Workers that have a key", ["controller"]);
  const adds = counter("workqueue_adds_total", "Keys that were added", names);
  const waits: Histogram<"name" | "controller"> = histogram(
    "workqueue_queue_duration_seconds",
    "How long keys waited for a worker",
    names,
    queueBuckets,
  );
  const works = histogram(
    "workqueue_work_duration_seconds",
    "How long workers had keys",
    names,
    queueBuckets,
  );
  const retries = counter("workqueue_retries_total", "Keys that are looked at again after a failure", names);
  ofQueues("workqueue_depth", "Keys that wait for a worker", (queue) => queue.depth);
  ofQueues("workqueue_unfinished_work_seconds", "Seconds of work in hand, all keys together", (queue) =>
    queue.inHand().reduce((sum, ms) => sum + ms / 1_000, 0),
  );
  ofQueues("workqueue_longest_running_processor_seconds", "Seconds of the longest work in hand", (queue) =>
    queue.inHand().reduce((longest, ms) => Math.max(longest, ms / 1_000), 0),
  );
  const leading: Gauge<"name"> = gauge(
    "leader_election_master_status",
    "Whether this process holds the Lease",
    ["name"],
  );
  const requests = counter("rest_client_requests_total", "Requests to the API server", ["code", "method"]);

  return {
    controller({ name: controller, workers }, queue) {
      queues.set(controller, queue);
      most.set({ controller }, workers);
      active.set({ controller }, 0);
      for (const result of ["success", "requeue_after", "error"]) reconciles.inc({ controller, result }, 0);
      errors.inc({ controller }, 0);
      const labels = { name: controller, controller };
      return {
        added: () => adds.inc(labels),
        taken: (waited) => waits.observe(labels, waited / 1_000),
        finished: (worked) => works.observe(labels, worked / 1_000),
        retried: () => retries.inc(labels),
        began: () => active.inc({ controller }),
        ended(result, tookMs) {
          active.dec({ controller });
          if (result === undefined) return;
          reconciles.inc({ controller, result });
          if (result === "error") errors.inc({ controller });
          times.observe({ controller }, tookMs / 1_000);
        },
      };
    },
    leading: (shard, held) => leading.set({ name: leaseOf(shard) }, held ? 1 : 0),
    request: (method, code) => requests.inc({ method, code }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
