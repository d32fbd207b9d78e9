import { setFlagsFromString } from "node:v8";
import { commandLine, type GlobalFlags } from "./commands/flags.ts";
import type { Connected, SandboxAccess, Where } from "./connection.ts";
import type { Platform } from "./platform.ts";
import { drawSkeleton } from "./screens/skeleton.ts";

/** What the app's composition needs of the process. */
export interface AppSurroundings {
  readonly flags: GlobalFlags;
  readonly sandbox: SandboxAccess;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Opens the app and answers with its exit code. The screen is drawn while the cluster is still being reached.
 * @throws KubeconfigError, the terminal as it was
 */
export async function openApp({
  flags,
  sandbox,
  env,
  stdin,
  stdout,
  stderr,
}: AppSurroundings): Promise<number> {
  // Start-up makes garbage faster than it is collected: V8 would grow its young generation for it, for good (6 MiB).
  setFlagsFromString("--semi-space-growth-factor=1");
  const opened: Connected[] = [];
  const closeOthers = async (kept?: Connected) => {
    const others = opened.filter((connection) => connection !== kept);
    opened.splice(0, opened.length, ...(kept === undefined ? [] : [kept]));
    await Promise.allSettled(others.map((connection) => connection.close()));
  };
  const reach = async (where: Where): Promise<Connected> => {
    const { connectCluster } = await import("./connection.ts");
    const connection = await connectCluster(where);
    opened.push(connection);
    return connection;
  };
  const open = async (where: Where, reaching = reach(where)): Promise<Platform> => {
    const connection = await reaching;
    const { openPlatform } = await import("./platform.ts");
    const platform = await openPlatform(
      connection,
      where,
      flags.standards === undefined || !flags.sandbox ? {} : { standardsFile: flags.standards },
    );
    await closeOthers(connection);
    return platform;
  };
  const named = (context: string | undefined): Where => ({
    kind: "kubeconfig",
    ...(flags.kubeconfig === undefined ? {} : { path: flags.kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const where: Where = flags.sandbox
    ? {
        kind: "sandbox",
        access: sandbox,
        ...(flags.speed === undefined ? {} : { speed: Number(flags.speed) }),
      }
    : named(flags.context);
  const contexts = async () => {
    if (flags.sandbox) return ["sandbox"];
    const { listContexts } = await import("./cluster/connect.ts");
    return (await listContexts(flags.kubeconfig, env)).map(({ name }) => name);
  };
  const look = flags.color ? env : { ...env, NO_COLOR: "1" };
  // Before anything else is loaded.
  const known = flags.sandbox ? "sandbox" : flags.context;
  const takeAway = drawSkeleton({ stdin, stdout, env: look }, known ?? "");
  let running = false;
  try {
    const reaching = reach(where);
    const platform = open(where, reaching);
    platform.catch(() => undefined); // the app tells it
    // Before the app is loaded, which lets no answer through; the sandbox takes longer to open than the app to load.
    const reached = flags.sandbox ? undefined : await reaching.catch(() => undefined);
    let context = known ?? reached?.cluster.context ?? (await currentContext(flags, env));
    const { runApp } = await import("./screens/app.tsx");
    running = true;
    return await runApp(platform, {
      context,
      simulated: flags.sandbox,
      commandLine: (words) => commandLine(flags.sandbox ? flags : { ...flags, context }, env, words),
      contexts,
      openContext: async (name) => {
        const next = await open(flags.sandbox ? where : named(name));
        context = name;
        return next;
      },
      stdin,
      stdout,
      env: look,
      afterwards: (text) => stderr.write(text),
    });
  } finally {
    if (!running) takeAway();
    await closeOthers();
  }
}

/** @throws KubeconfigError */
async function currentContext(flags: GlobalFlags, env: AppSurroundings["env"]): Promise<string> {
  const { listContexts } = await import("./cluster/connect.ts");
  const found = (await listContexts(flags.kubeconfig, env)).find(({ current }) => current);
  return found?.name ?? "no context";
}
