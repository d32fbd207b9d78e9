import { z } from "zod";
import { hasOwnNamespace, type ServiceRef } from "../../application/service-ref.ts";
import type { KubeObject } from "../../cluster/object.ts";
import { podProblem } from "../../cluster/pod-problem.ts";
import { podStatus } from "../../cluster/pod-status.ts";
import { resources } from "../../cluster/resource.ts";
import type { Subject } from "../../monitoring/prove.ts";
import { podsOf } from "../../services/problem.ts";
import { type Service, serviceOfKey } from "../../services/service.ts";
import type { ServiceTab } from "../place.ts";
import { tellInOneLine } from "../problem.ts";
import { serviceAt } from "../service-list.ts";
import type { DetailRow, Stores } from "../stores.ts";
import { throttle } from "../throttle.ts";
import { type Feed, poll, storeIntervalMs, type UseCases } from "./feed.ts";

/** Lines of log kept for the screen. */
const keptLogLines = 1_000;

/** What a tab of a service shows, as long as it is open. Overview and runs need nothing beyond other stores. */
export function feedDetail(key: string, tab: ServiceTab): Feed {
  const of = `${key}/${tab}`;
  const service = serviceOfKey(key);
  return async (stores, useCases, signal) => {
    stores.detail.setState({ of, status: "loading", rows: [], error: undefined });
    const show = (rows: readonly DetailRow[]) => {
      if (!signal.aborted) stores.detail.setState({ of, status: "ready", rows, error: undefined });
    };
    const every = (ask: () => Promise<readonly DetailRow[]>) =>
      poll(useCases.clock, 2_000, signal, async () => {
        try {
          show(await ask());
        } catch (error) {
          if (!signal.aborted) stores.detail.setState({ of, error: tellInOneLine(error) });
        }
      });
    switch (tab) {
      case "pods":
        return every(() => pods(useCases, service, signal));
      case "events":
        return every(() => events(useCases, service, stores.fleet.getState().services, signal));
      case "monitoring":
        return every(() => {
          const row = serviceAt(stores.fleet.getState().services, key);
          const enabled = row?.monitoring.status !== "off";
          return monitoring(useCases, { ...service, enabled }, signal);
        });
      case "yaml":
        return every(() => yaml(useCases, service, signal));
      case "logs":
        return logs(stores, useCases, of, service, signal);
      case "overview":
      case "releases":
      case "runs":
        return show([]);
    }
  };
}

async function pods(useCases: UseCases, service: ServiceRef, signal: AbortSignal): Promise<DetailRow[]> {
  const list = await useCases.cluster.list(resources.pods, { ...podsOf(service), signal });
  return list.items.map((pod) => podRow(pod)).sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Cells: name, ready, state, restarts, creation time, node, what keeps it from being ready. */
function podRow(pod: KubeObject): DetailRow {
  const { phase, node, containerStatuses: containers } = podStatus(pod);
  const ready = containers.filter((each) => each.ready).length;
  const waiting = containers.find((each) => each.state.waiting !== undefined)?.state.waiting;
  const ended = containers.find((each) => each.state.terminated !== undefined)?.state.terminated;
  const deleting = pod.metadata.deletionTimestamp !== undefined;
  const state = deleting ? "Terminating" : waiting?.reason || ended?.reason || phase;
  const fine = phase === "Succeeded" || (phase === "Running" && ready === containers.length);
  const starting = /^(ContainerCreating|PodInitializing|Pending)$/.test(state);
  return {
    key: pod.metadata.name,
    cells: [
      pod.metadata.name,
      `${ready}/${Math.max(containers.length, 1)}`,
      state,
      String(containers.reduce((sum, each) => sum + each.restartCount, 0)),
      pod.metadata.creationTimestamp ?? "",
      node,
      podProblem(pod)?.text ?? "",
    ],
    tone: deleting ? "dim" : fine ? "plain" : starting ? "warn" : "bad",
  };
}

const eventSchema = z.object({
  type: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  note: z.string().optional(),
  count: z.number().optional(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  involvedObject: z.object({ kind: z.string().optional(), name: z.string().optional() }).optional(),
});

/**
 * Whether an object of this name is a service's, in a namespace that it shares with others. Objects are named after
 * their service: of `api` and `api-gateway`, the one with the longer name is meant.
 */
function isNamedAfter(object: string, name: string, others: readonly string[]): boolean {
  const fits = (service: string) => object === service || object.startsWith(`${service}-`);
  return fits(name) && !others.some((other) => other.length > name.length && fits(other));
}

/** Cells: time, reason, object, message. Newest first. */
async function events(
  useCases: UseCases,
  service: ServiceRef,
  services: readonly Service[],
  signal: AbortSignal,
): Promise<DetailRow[]> {
  const { name, namespace } = service;
  const list = await useCases.cluster.list(resources.events, { namespace, signal });
  const others = services.filter((each) => each.namespace === namespace).map((each) => each.name);
  const all = name === "" || hasOwnNamespace(service);
  const rows = list.items.flatMap((object): DetailRow[] => {
    const event = eventSchema.safeParse(object).data;
    const at = event?.lastTimestamp ?? event?.eventTime ?? object.metadata.creationTimestamp ?? "";
    if (!all && !isNamedAfter(event?.involvedObject?.name ?? "", name, others)) return [];
    const about = `${(event?.involvedObject?.kind ?? "").toLowerCase()}/${event?.involvedObject?.name ?? ""}`;
    const times = event?.count !== undefined && event.count > 1 ? ` (${event.count} times)` : "";
    return [
      {
        key: object.metadata.name,
        cells: [at, event?.reason ?? "", about, `${event?.message ?? event?.note ?? ""}${times}`],
        tone: event?.type === "Warning" ? "warn" : "plain",
      },
    ];
  });
  return rows.sort((a, b) => ((a.cells[0] ?? "") > (b.cells[0] ?? "") ? -1 : 1));
}

/** Cells: health, what, explanation. */
async function monitoring(useCases: UseCases, subject: Subject, signal: AbortSignal): Promise<DetailRow[]> {
  const { name, namespace } = subject;
  const { isOf, prove } = await import("../../monitoring/prove.ts");
  const all = name === "" || hasOwnNamespace(subject);
  const isIts = (each: { readonly namespace: string; readonly service: string }) =>
    each.namespace === namespace && (all || isOf(name, each.service));
  // A Prometheus that cannot be asked is part of the proof, not an error of the screen.
  const [proof, found, firing] = await Promise.all([
    prove(useCases, subject, signal),
    useCases.metrics.targets({ namespace, signal }).catch(() => []),
    useCases.metrics.firing({ signal }).catch(() => []),
  ]);
  const targets = found.filter(isIts);
  const explanation: DetailRow[] =
    targets.length === 0 && "reason" in proof
      ? [
          {
            key: "proof",
            cells: [proof.status, proof.reason, ""],
            tone: proof.status === "broken" ? "bad" : "warn",
          },
        ]
      : [];
  const alerts = firing.filter(isIts).map(
    (each): DetailRow => ({
      key: `alert/${each.alert}`,
      cells: ["firing", `alert ${each.alert}`, ""],
      tone: "bad",
    }),
  );
  const scraped = targets.map(
    (each): DetailRow => ({
      key: each.scrapeUrl,
      cells: [each.health, `target ${each.scrapeUrl}`, each.lastError],
      tone: each.health === "up" ? "good" : each.health === "down" ? "bad" : "warn",
    }),
  );
  return [...explanation, ...alerts, ...scraped];
}

/** One cell a row: a line of the Application, or of a namespace without any, without the server's bookkeeping. */
async function yaml({ cluster }: UseCases, service: ServiceRef, signal: AbortSignal): Promise<DetailRow[]> {
  const [object, { yamlLines }] = await Promise.all([
    service.name === ""
      ? cluster.get(resources.namespaces, { name: service.namespace }, { signal })
      : cluster.get(resources.applications, service, { signal }),
    import("./yaml-text.ts"),
  ]);
  return yamlLines(object).map((line, number) => ({ key: String(number), cells: [line], tone: "plain" }));
}

/** One cell a row: a line, after the pod's own part of its name. Follows every pod there is when it starts. */
async function logs(
  stores: Stores,
  useCases: UseCases,
  of: string,
  service: ServiceRef,
  signal: AbortSignal,
): Promise<void> {
  const { name: owner, namespace } = service;
  let rows: DetailRow[] = [];
  let count = 0;
  const publish = throttle(storeIntervalMs, () => {
    if (!signal.aborted) stores.detail.setState({ of, status: "ready", rows, error: undefined });
  });
  const add = (line: string, tone: DetailRow["tone"]) => {
    rows = [...rows.slice(-keptLogLines + 1), { key: String(count++), cells: [line], tone }];
    publish();
  };
  const follow = async (name: string) => {
    const short = name.startsWith(`${owner}-`)
      ? name.slice(owner.length + 1).replace(/^[a-f0-9]+-/, "")
      : name;
    try {
      for await (const line of useCases.cluster.logs(
        { namespace, name },
        { follow: true, tailLines: 200, signal },
      )) {
        add(`${short}  ${line}`, "plain");
      }
    } catch (error) {
      if (!signal.aborted) add(`${short}  (no log: ${tellInOneLine(error)})`, "dim");
    }
  };
  const following = new Set<string>();
  await poll(useCases.clock, 3_000, signal, async () => {
    try {
      const list = await useCases.cluster.list(resources.pods, { ...podsOf(service), signal });
      for (const pod of list.items) {
        if (following.has(pod.metadata.name) || podStatus(pod).phase === "Pending") continue;
        following.add(pod.metadata.name);
        void follow(pod.metadata.name);
      }
      publish();
    } catch (error) {
      if (!signal.aborted) stores.detail.setState({ of, error: tellInOneLine(error) });
    }
  });
}
