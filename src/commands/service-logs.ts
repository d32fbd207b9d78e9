import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { labels } from "../application/names.ts";
import { hasOwnNamespace } from "../application/service-ref.ts";
import { isClusterError } from "../cluster/errors.ts";
import type { KubeObject } from "../cluster/object.ts";
import { podStatus } from "../cluster/pod-status.ts";
import { resources } from "../cluster/resource.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { demandService } from "./nearest-name.ts";
import { namespaceFor, serviceArgument, typedService } from "./service-ref.ts";
import type { Session } from "./session.ts";

/** Pause between two looks for new pods, in milliseconds. */
const lookAgain = 3_000;

/** `platform service logs`. */
export function addServiceLogs(service: Command, bind: Bind): void {
  bind(
    service
      .command("logs")
      .description("print the logs of a service's pods, each line after its pod")
      .argument("<name>", serviceArgument)
      .addOption(new Option("-f, --follow", "go on with what is written from now on, also by new pods"))
      .addOption(new Option("--tail <lines>", "the newest lines of each pod").argParser(lines).default(100)),
    async (session, args, raw) => {
      const options = z.object({ follow: z.boolean().default(false), tail: z.number() }).parse(raw);
      const typed = typedService(args[0]);
      const { name } = typed;
      const namespace = await namespaceFor(session, typed);
      const { cluster, clock } = await session.platform();
      const stop = new AbortController();
      const unlisten = session.terminal.onStop(() => stop.abort());
      session.terminal.out.closed.addEventListener("abort", () => stop.abort());
      const { signal } = stop;
      const pods = async () => {
        const { items } = await cluster.list(resources.pods, {
          namespace,
          labelSelector: `${labels.component}=workload,${labels.service}=${name}`,
          signal,
        });
        return items.filter((pod) => podStatus(pod).phase !== "Pending");
      };
      const print = (pod: KubeObject) =>
        printLog(session, { namespace, name: pod.metadata.name }, { ...options, signal });
      let failure: unknown;
      const failed = (error: unknown) => {
        failure ??= error;
        stop.abort();
      };
      try {
        const first = await pods();
        if (first.length === 0) {
          if (hasOwnNamespace({ name, namespace })) await demandService(session, name);
          session.terminal.err.write(
            `no pod of ${name} runs: ${session.command("service", "get", args[0] ?? "")}\n`,
          );
        }
        if (!options.follow) {
          for (const pod of first) await print(pod);
          return exitCodes.done;
        }
        const followed = new Map<string, Promise<void>>();
        for (let now = first; ; now = await pods()) {
          for (const pod of now) {
            const key = pod.metadata.uid ?? pod.metadata.name;
            if (!followed.has(key)) followed.set(key, print(pod).catch(failed));
          }
          await clock.sleep(lookAgain, signal);
        }
      } catch (error) {
        if (failure !== undefined) throw failure;
        if (!signal.aborted) throw error;
        return exitCodes.done;
      } finally {
        unlisten();
        stop.abort();
      }
    },
  );
}

async function printLog(
  session: Session,
  pod: { readonly namespace: string; readonly name: string },
  { follow, tail, signal }: { readonly follow: boolean; readonly tail: number; readonly signal: AbortSignal },
): Promise<void> {
  const { cluster } = await session.platform();
  const { out, err } = session.terminal;
  try {
    for await (const line of cluster.logs(pod, { follow, tailLines: tail, signal }))
      out.write(`${pod.name}  ${line}\n`);
  } catch (error) {
    if (signal.aborted) return;
    // A pod that has not started, or has just gone, is no reason to keep the others' logs back.
    if (!isClusterError(error, "not-found") && !isClusterError(error, "invalid")) throw error;
    err.write(`${pod.name}  (no log: ${error.message})\n`);
  }
}

function lines(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number of lines.");
}
