import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { Connection } from "../../src/cluster/connect.ts";
import { readLease } from "../../src/cluster/lease.ts";
import { resources } from "../../src/cluster/resource.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { toyWorkers, writers } from "./toy-controller.ts";
import type { Toy } from "./toy-operator.ts";

/** A toy operator in a process of its own. */
interface Running {
  readonly identity: string;
  readonly child: ChildProcess;
  log(): string;
}

function start(toy: Toy): Running {
  const child = spawn(process.execPath, ["test/operator/toy-operator.ts", JSON.stringify(toy)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  return { identity: toy.identity, child, log: () => log };
}

/** Asks until it is so. @throws Error with what was seen last */
async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  seen: () => string,
): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited a minute until ${what}; last seen:\n${seen()}`);
    await systemTiming.sleep(100);
  }
}

/**
 * Two operators: the one at work is stopped, another takes over, the first goes on and begins no write; that other is
 * killed, and followed by the first, which ends in good order when it is asked to.
 */
export async function takeOver(
  cluster: Cluster,
  around: { readonly connection: Connection; readonly namespace: string; readonly lease: string },
): Promise<void> {
  const { namespace, lease } = around;
  const running: Running[] = [];
  const begin = (identity: string) => {
    const one = start({ ...around, identity });
    running.push(one);
    return one;
  };
  const seen = () => running.map(({ identity, log }) => `${identity}:\n${log()}`).join("\n");
  /** Somebody has written so often since the writes before. */
  const writes = async (by: Running, times: number, since: number) => {
    const wrote = async () =>
      (await writers(cluster, namespace)).slice(since).filter((writer) => writer === by.identity).length;
    await until(`${by.identity} has written`, async () => (await wrote()) >= times, seen);
  };
  try {
    const first = begin("first");
    await writes(first, 10, 0);
    const second = begin("second");
    await until("the second stands by", () => second.log().includes("the operator begins"), seen);

    first.child.kill("SIGSTOP");
    await writes(second, 1, 0);
    first.child.kill("SIGCONT");
    await until("the first has noticed", () => first.log().includes("a shard is lost"), seen);
    await writes(second, 30, 0);
    const order = await writers(cluster, namespace);
    // What had passed the fence and was not on the wire when the process was stopped is sent once it goes on: at most
    // one write of each worker. None begins afterwards.
    const late = order.slice(order.indexOf("second")).filter((writer) => writer === "first");
    expect(late.length).toBeLessThanOrEqual(toyWorkers);

    second.child.kill("SIGKILL");
    await writes(first, 10, order.length);
    const after = await writers(cluster, namespace);
    expect(after.slice(after.lastIndexOf("second") + 1)).not.toContain("second");

    first.child.kill("SIGTERM");
    const [code] = await once(first.child, "exit");
    expect(code, seen()).toBe(0);
    const held = await cluster.get(resources.leases, { namespace: "platform-system", name: lease });
    expect(readLease(held).holder).toBe("");
  } finally {
    for (const { child } of running) child.kill("SIGKILL");
  }
}
