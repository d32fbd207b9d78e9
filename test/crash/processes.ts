import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import type { ServiceName } from "../../src/application/names.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { installDirectly } from "../../src/installation/directly.ts";
import { testStandards } from "../provisioning/composition.ts";
import { type Child, type Ended, startProgram } from "./child.ts";
import type { KillPoint } from "./mortal.ts";
import { type ApiProxy, kubeconfigFor, openProxy, type Passing } from "./proxy.ts";
import { screenContradictions } from "./screens.ts";
import type { Ground, Stage } from "./stage.ts";

/** The program in a process, whose every request passes through a proxy. */
export interface Proxied extends Child {
  readonly proxy: ApiProxy;
  /** The proxy closed after its end. */
  readonly over: Promise<Ended>;
}

/** Starts a command against the upstream through a proxy of its own. */
export async function startProxied(
  { folder, upstream }: Pick<Ground, "folder" | "upstream">,
  service: string,
  argv: readonly string[],
  prepare: (proxy: ApiProxy) => void = () => {},
  launcher: readonly string[] = [],
): Promise<Proxied> {
  let child: Child | undefined;
  const proxy = await openProxy(upstream, service, () => child?.process.kill("SIGKILL"));
  prepare(proxy);
  const home = await mkdtemp(join(folder, "home-"));
  const kubeconfig = join(home, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigFor(proxy.url));
  child = startProgram(home, ["--kubeconfig", kubeconfig, ...argv], launcher);
  const over = child.ended.finally(() => proxy.close());
  over.catch(() => {});
  return { ...child, proxy, over };
}

/** Standards that commands find in the cluster, with repositories where the ground has them. */
export async function installFor({
  cluster,
  repositories,
}: Pick<Ground, "cluster" | "repositories">): Promise<void> {
  const delivery = { ...testStandards.delivery, host: pathToFileURL(repositories).href };
  await installDirectly(cluster, { standards: { ...testStandards, delivery }, clock: systemTiming });
}

const resultSchema = z.looseObject({
  type: z.literal("result"),
  run: z.looseObject({ name: z.string(), phase: z.string() }),
});

/** What a command's `-o json` told last. */
export function resultOf({ out, err, code }: Ended): { readonly name: string; readonly phase: string } {
  const last = out.trimEnd().split("\n").at(-1) ?? "";
  const parsed = resultSchema.safeParse(last.startsWith("{") ? JSON.parse(last) : undefined);
  if (!parsed.success) throw new Error(`exit ${code}, no result: ${err || last}`);
  return parsed.data.run;
}

/** Engines in processes of their own, killed with SIGKILL at a request. */
export function inProcesses(ground: Ground): Stage {
  let installing: Promise<void> | undefined;
  /** Runs a command to its end, or to its death at the point. */
  async function live(service: ServiceName, argv: readonly string[], kill: KillPoint | undefined) {
    const fate = ({ names }: Passing) =>
      kill === undefined || !names.includes(kill.write) ? "pass" : (`die-${kill.time}` as const);
    const { over, proxy } = await startProxied(ground, service, [...argv, "-o", "json"], (made) =>
      made.meet(fate),
    );
    return { ended: await over, writes: proxy.writes };
  }
  return {
    services: ground.services,
    atOnce: 3,
    async undergo(subject, service, kill) {
      installing ??= installFor(ground);
      await installing;
      const argv = await subject.argv(ground.composed.provisioner(), service);
      const { ended, writes } = await live(service, argv, kill);
      const died = ended.signal === "SIGKILL";
      if (!died && ended.code !== 0) throw new Error(`${argv.join(" ")} ended ${ended.code}: ${ended.err}`);
      return { died, writes };
    },
    async recover(service, run, recovery, kill) {
      const words = recovery === "rollback" ? ["--data-stores", "delete", "--confirm", service, "--yes"] : [];
      const argv = ["run", recovery, run, ...words];
      const { ended, writes } = await live(service, argv, kill);
      if (ended.signal === "SIGKILL") return { died: true, writes };
      const told = resultOf(ended);
      const { phase } = await ground.composed.provisioner().get(run);
      if (told.phase !== phase) throw new Error(`${argv.join(" ")} told ${told.phase}, and it is ${phase}`);
      // 1: it went on backwards, and what was asked for is undone.
      if (ended.code !== 0 && ended.code !== 1) {
        throw new Error(`${argv.join(" ")} ended ${ended.code}: ${ended.err}`);
      }
      return { died: false, writes };
    },
    survey: () => ground.survey(),
    screens: (services, found) => screenContradictions(ground, services, found),
  };
}
