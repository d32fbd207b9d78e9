import { z } from "zod";
import type { StoredObject } from "./api.ts";
import { behaviourOf, parseImage } from "./controllers/images.ts";
import { hash } from "./controllers/names.ts";
import { readPod } from "./controllers/shapes.ts";

/** One line of a container's log, without its newline. */
export interface LogLine {
  readonly at: Date;
  readonly text: string;
}

export interface LogWindow {
  /** Lines later than this; left out: from the start. */
  readonly after?: Date;
  /** Lines up to and with this: now. To follow, ask again with `after` the last `until`. */
  readonly until: Date;
  /** At most so many, the newest. */
  readonly tail?: number;
  /** Of the container before its last restart. */
  readonly previous?: boolean;
}

/** Milliseconds between lines of a container that has started. */
const periodMs = 7000;
/** A container that has run for months has only so many lines. */
const kept = 5000;

/** What writes a container's log. */
interface Script {
  /** Right after the start, 40 ms apart. */
  readonly start: (seconds: number) => readonly string[];
  /** The n-th line after that; `seed` is a number that differs from line to line. */
  readonly line: (at: Date, n: number, seed: number) => string;
  /** The last lines of one that crashes. */
  readonly crash: readonly string[];
}

/**
 * The lines a container has written in a window, oldest first. Made up from the pod's UID and the container's start:
 * the same question has the same answer always, and in every process.
 * @returns a problem, in a kubelet's words, for a container that has not started or does not exist.
 */
export function logLines(
  stored: StoredObject,
  containerName: string | undefined,
  window: LogWindow,
): readonly LogLine[] | { readonly problem: string } {
  const pod = readPod(stored);
  const containers = [...pod.spec.containers, ...pod.spec.initContainers];
  const names = pod.spec.containers.map(({ name }) => name);
  const podName = pod.metadata.name;
  if (containerName === undefined && names.length > 1) {
    return {
      problem: `a container name must be specified for pod ${podName}, choose one of: [${names.join(" ")}]`,
    };
  }
  const name = containerName ?? names[0] ?? "";
  const container = containers.find((candidate) => candidate.name === name);
  if (container === undefined) return { problem: `container ${name} is not valid for pod ${podName}` };
  const status = [...pod.status.containerStatuses, ...(pod.status.initContainerStatuses ?? [])].find(
    (candidate) => candidate.name === name,
  );
  const state = window.previous === true ? status?.lastState : status?.state;
  const ended = state?.terminated ?? (window.previous === true ? undefined : status?.lastState.terminated);
  const startedAt = state?.running?.startedAt ?? ended?.startedAt;
  if (startedAt === undefined) {
    if (window.previous === true) {
      return { problem: `previous terminated container "${name}" in pod "${podName}" not found` };
    }
    const reason = status?.state.waiting?.reason ?? "ContainerCreating";
    const trouble = /Image|Config/.test(reason)
      ? `${reason === "ImagePullBackOff" ? "trying and failing to pull image" : `failing to start: ${reason}`}`
      : reason;
    return { problem: `container "${name}" in pod "${podName}" is waiting to start: ${trouble}` };
  }
  const crashed = state?.running === undefined && ended !== undefined;
  const end = crashed && ended.finishedAt !== undefined ? new Date(ended.finishedAt) : undefined;
  const script = scriptOf(container.image, pod.metadata.labels ?? {});
  const all = [
    ...linesOf(script, `${pod.metadata.uid}/${name}`, new Date(startedAt), end, window),
    ...(end !== undefined && behaviourOf(container.image).exit !== undefined
      ? script.crash.map((text) => ({ at: end, text }))
      : []),
  ].filter(({ at }) => (window.after === undefined || at > window.after) && at <= window.until);
  return window.tail === undefined ? all : window.tail === 0 ? [] : all.slice(-window.tail);
}

function linesOf(
  script: Script,
  seed: string,
  started: Date,
  end: Date | undefined,
  { after, until }: LogWindow,
): LogLine[] {
  const begin = started.getTime();
  const last = Math.min(until.getTime(), end?.getTime() ?? Number.POSITIVE_INFINITY);
  const lines: LogLine[] = [];
  if (after === undefined || after.getTime() < begin + 60_000) {
    script.start(Math.floor(begin / 1000)).forEach((text, index) => {
      lines.push({ at: new Date(begin + index * 40), text });
    });
  }
  const count = Math.floor((last - begin) / periodMs);
  const known = after === undefined ? 0 : Math.floor((after.getTime() - begin) / periodMs) - 1;
  for (let n = Math.max(1, known, count - kept); n <= count; n++) {
    const random = hash(`${seed}/${n}`);
    const at = new Date(begin + n * periodMs + (random % (periodMs - 1000)));
    lines.push({ at, text: script.line(at, n, random) });
  }
  return lines;
}

const routes = ["/healthz", "/", "/api/v1/items", "/api/v1/items/42", "/healthz", "/api/v1/orders"];

/** JSON lines as the skeletons of the platform write them. */
function serviceScript(service: string): Script {
  const json = (at: Date, level: string, message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    JSON.stringify({ time: at.toISOString(), level, msg: message, service, ...fields });
  return {
    start: (seconds) => {
      const at = new Date(seconds * 1000);
      return [
        json(at, "INFO", "starting", { version: "0.1.0" }),
        json(at, "INFO", "listening for requests", { address: ":8080" }),
        json(at, "INFO", "listening for metrics", { address: ":9090" }),
      ];
    },
    line: (at, _n, seed) =>
      json(at, "INFO", "request", {
        method: "GET",
        path: routes[seed % routes.length],
        status: seed % 97 === 0 ? 404 : 200,
        duration_ms: 1 + (seed % 23),
      }),
    crash: [
      `{"level":"ERROR","msg":"cannot start","service":${JSON.stringify(service)},"error":"configuration is invalid"}`,
      "exit status 1",
    ],
  };
}

const utc = (at: Date) => at.toISOString().replace("T", " ").replace("Z", " UTC");
const redisTime = (at: Date) =>
  at
    .toUTCString()
    .replace(/^\w+, /, "")
    .replace(" GMT", ".000");

const postgres: Script = {
  start: (seconds) => {
    const stamp = `${utc(new Date(seconds * 1000))} [1]`;
    return [
      `${stamp} LOG:  starting PostgreSQL 15.15 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit`,
      `${stamp} LOG:  listening on IPv4 address "0.0.0.0", port 5432`,
      `${stamp} LOG:  listening on Unix socket "/var/run/postgresql/.s.PGSQL.5432"`,
      `${stamp} LOG:  database system was shut down at ${utc(new Date(seconds * 1000 - 1000))}`,
      `${stamp} LOG:  database system is ready to accept connections`,
    ];
  },
  line: (at, n, seed) =>
    n % 2 === 1
      ? `${utc(at)} [27] LOG:  checkpoint starting: time`
      : `${utc(at)} [27] LOG:  checkpoint complete: wrote ${seed % 90} buffers (0.${seed % 9}%); 0 WAL file(s) added, 0 removed, 0 recycled; write=${(seed % 5000) / 1000} s`,
  crash: ["PANIC:  could not locate a valid checkpoint record"],
};

const redis: Script = {
  start: (seconds) => {
    const stamp = redisTime(new Date(seconds * 1000));
    return [
      `1:C ${stamp} * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo`,
      `1:M ${stamp} * Running mode=standalone, port=6379.`,
      `1:M ${stamp} * Server initialized`,
      `1:M ${stamp} * Ready to accept connections tcp`,
    ];
  },
  line: (at, n, seed) =>
    n % 2 === 1
      ? `1:M ${redisTime(at)} * ${1 + (seed % 90)} changes in 300 seconds. Saving...`
      : `1:M ${redisTime(at)} * Background saving terminated with success`,
  crash: ["1:M # Fatal error, can't open config file"],
};

const labelled = z.record(z.string(), z.string());

function scriptOf(image: string, labels: Readonly<Record<string, string>>): Script {
  const repository = parseImage(image)?.repository ?? image;
  if (/postgres/.test(repository)) return postgres;
  if (/redis|valkey/.test(repository)) return redis;
  const { "app.kubernetes.io/name": name, app } = labelled.parse(labels);
  return serviceScript(name ?? app ?? repository.slice(repository.lastIndexOf("/") + 1));
}
