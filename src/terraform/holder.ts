import { readdir, readFile, readlink } from "node:fs/promises";
import { z } from "zod";
import type { LockInfo } from "./lock.ts";

const processSchema = z.strictObject({ pid: z.int().positive(), start: z.string().min(1) });

/**
 * Who works on a workspace, written before Terraform starts: it is what a lock is judged by whose holder may be dead.
 */
export const holderSchema = z.strictObject({
  /** What it does it for, for a person: a run's name. */
  run: z.string(),
  operation: z.string(),
  /** As Terraform names the machine in its locks. */
  host: z.string(),
  /** Identity of the machine's boot and of its process namespace; empty where the system does not tell. */
  machine: z.string(),
  /** RFC 3339. */
  since: z.string(),
  pod: z.strictObject({ namespace: z.string(), name: z.string(), uid: z.string() }).optional(),
  /** Of this program, which started Terraform. */
  engine: processSchema.optional(),
  /** Of Terraform, which outlives this program; unset before it is started. */
  terraform: processSchema.optional(),
});
export type Holder = z.output<typeof holderSchema>;

/**
 * Where it is written who works on a workspace, and who did without ending in good order. Each is one workspace's.
 */
export interface Holders {
  read(): Promise<readonly Holder[]>;
  /**
   * @param moment - `begin`: before Terraform starts, which it does not where this fails; `started`: once it is known
   * which process it is; `end`: once it has ended
   */
  write(holders: readonly Holder[], moment: "begin" | "started" | "end"): Promise<void>;
}

/** How one looks whether a holder lives. */
export interface Look {
  machine(): Promise<string>;
  /** When a process of this machine started; undefined where there is none. */
  startOf(pid: number): Promise<string | undefined>;
  /** Whether a process of this machine works in the folder; undefined where the system does not tell. */
  anyIn(folder: string): Promise<boolean | undefined>;
  /**
   * The UID of the pod of this name; `gone` where there is none, or where its containers have ended since that moment
   * (RFC 3339), and with them all that ran in them then; undefined where one cannot look.
   */
  podUid(
    pod: { readonly namespace: string; readonly name: string },
    moment: string,
  ): Promise<string | "gone" | undefined>;
}

/** What is known of the holder of a lock. */
export interface Verdict {
  readonly state: "dead" | "alive" | "unknown";
  readonly because: string;
}

/**
 * Whether the holder of a lock is certainly dead. Only then may the lock be taken without asking: its process was on
 * this machine and is gone, or its pod is or has begun anew.
 * @param folder - the workspace's folder on this machine
 */
export async function judgeHolder(
  lock: LockInfo,
  holders: readonly Holder[],
  folder: string,
  look: Look,
): Promise<Verdict> {
  // Whoever began last before the lock was taken.
  const holder = holders
    .filter(({ host, since }) => lock.who.endsWith(`@${host}`) && since <= lock.created)
    .sort((one, other) => (one.since < other.since ? 1 : -1))[0];
  if (holder === undefined) return { state: "unknown", because: "nothing is recorded of who took it" };
  const machine = await look.machine();
  const here = machine !== "" && machine === holder.machine;
  if (!here && holder.pod !== undefined) {
    const uid = await look.podUid(holder.pod, holder.since);
    if (uid === undefined) {
      return { state: "unknown", because: `one cannot see whether pod ${holder.pod.name} lives` };
    }
    return uid === holder.pod.uid
      ? { state: "alive", because: `pod ${holder.pod.name} lives` }
      : { state: "dead", because: `pod ${holder.pod.name} is gone or began anew` };
  }
  if (!here) {
    return { state: "unknown", because: `it was taken on another machine, ${holder.host}` };
  }
  const { terraform, engine } = holder;
  if (terraform !== undefined) {
    return (await look.startOf(terraform.pid)) === terraform.start
      ? { state: "alive", because: `process ${terraform.pid} works on it for ${holder.run}` }
      : { state: "dead", because: `process ${terraform.pid} of ${holder.run} is gone` };
  }
  // Whoever was to start Terraform died before it was written which process that is, if it started it at all.
  if (engine === undefined)
    return { state: "unknown", because: `the process of ${holder.run} is not recorded` };
  if ((await look.startOf(engine.pid)) === engine.start) {
    return { state: "alive", because: `${holder.run} is at it` };
  }
  const any = await look.anyIn(folder);
  if (any === undefined) return { state: "unknown", because: "one cannot see whether its process lives" };
  return any
    ? { state: "alive", because: `a process works in ${folder}` }
    : {
        state: "dead",
        because: `process ${engine.pid} of ${holder.run} is gone, and nothing works in its folder`,
      };
}

/** Looks at processes through `/proc`; where there is none, nothing is known. */
export function lookAtProcesses(podUid: Look["podUid"]): Look {
  return {
    async machine() {
      try {
        const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
        return `${boot} ${await readlink("/proc/self/ns/pid")}`;
      } catch {
        return "";
      }
    },
    async startOf(pid) {
      try {
        // Field 22 of stat; the second field is in brackets and may hold spaces. A zombie does nothing any more.
        const stat = await readFile(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" ? undefined : fields[19];
      } catch {
        return undefined;
      }
    },
    async anyIn(folder) {
      let names: readonly string[];
      try {
        names = await readdir("/proc");
      } catch {
        return undefined;
      }
      const folders = await Promise.all(
        names
          .filter((name) => /^\d+$/.test(name))
          .map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => undefined)),
      );
      return folders.includes(folder);
    },
    podUid,
  };
}
