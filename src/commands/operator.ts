import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { operatorName } from "../application/names.ts";
import { systemTiming } from "../cluster/timing.ts";
import type { HealthOptions } from "../operator/health.ts";
import { logLevels } from "../operator/log.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import type { Session } from "./session.ts";

const mostShards = 64;

const optionsSchema = z.object({
  shards: z.number(),
  host: z.string(),
  healthPort: z.number(),
  metricsPort: z.number(),
  logLevel: z.enum(logLevels),
});

/** `platform operator`: the in-cluster face. */
export function addOperator(program: Command, bind: Bind): void {
  bind(
    program
      .command("operator")
      .description("keep Applications as they should be and execute runs, until stopped")
      .addOption(
        new Option("--shards <number>", "in how many parts the namespaces are shared out among operators")
          .argParser(integer(1, mostShards))
          .default(1),
      )
      .addOption(new Option("--host <address>", "address to listen on").default("127.0.0.1"))
      .addOption(
        new Option("--health-port <number>", "/healthz and /readyz (0: any)")
          .argParser(integer(0, 65_535))
          .default(8081),
      )
      .addOption(
        new Option("--metrics-port <number>", "/metrics (0: any)")
          .argParser(integer(0, 65_535))
          .default(8080),
      )
      .addOption(
        new Option("--log-level <level>", "how much to tell").choices([...logLevels]).default("info"),
      )
      .addHelpText(
        "after",
        `
Of several operators one works and the others stand by; with --shards, each takes its share. In a pod it speaks as
its ServiceAccount. The log goes to stderr, a line of JSON each. The first SIGTERM or ctrl-c lets what is in hand
finish, the second ends at once.

Example:
  platform operator --log-level debug`,
      ),
    (session, _args, raw) => runOperator(session, optionsSchema.parse(raw)),
  );
}

async function runOperator(
  session: Session,
  { shards, host, healthPort, metricsPort, logLevel }: z.output<typeof optionsSchema>,
) {
  const { terminal, where } = session;
  const [
    { connectCluster },
    { createLog },
    { createMetrics },
    { createOperator },
    { operatorControllers },
    { executingOn, openPlatform },
  ] = await Promise.all([
    import("../connection.ts"),
    import("../operator/log.ts"),
    import("../operator/metrics.ts"),
    import("../operator/operator.ts"),
    import("../operator/controllers.ts"),
    import("../platform.ts"),
  ]);
  const timing = systemTiming;
  const identity = ownName();
  const log = createLog((line) => terminal.err.write(line), {
    level: logLevel,
    now: timing.now,
  });
  const metrics = await createMetrics((shard) => (shards === 1 ? operatorName : `${operatorName}-${shard}`));
  const counted = {
    onAnswer: (method: string, status: number | undefined) =>
      metrics.request(method, status === undefined ? "<error>" : String(status)),
    onWarning: (warning: string, request: string) => log.debug("the server warns", { warning, request }),
  };
  const connection = await connectCluster(where, counted);
  // What a face on the sandbox would find there, this one does too.
  if (where.kind === "sandbox") await openPlatform(connection, where);
  // Renewals do not wait behind work; the sandbox is this process itself.
  const leases = where.kind === "sandbox" ? connection : await connectCluster(where, counted);
  const { cluster } = connection;
  const operator = createOperator({
    cluster,
    leases: leases.cluster,
    controllers: operatorControllers({ executing: () => executingOn(cluster, where) }),
    shards,
    identity,
    timing,
    steady: () => performance.now(),
    log,
    metrics,
  });
  const stopped = new AbortController();
  let insisted = 0;
  const unsubscribe = terminal.onStop((signal) => {
    insisted += 1;
    if (insisted > 1) terminal.abandon(exitCodes.interrupted);
    stopped.abort(new Error(signal));
  });
  try {
    const asked = { host, healthPort, metricsPort, health: () => operator.health(), metrics };
    const servers = await listening(asked);
    log.info("listening", { host, healthPort: servers.healthPort, metricsPort: servers.metricsPort });
    await operator.run(stopped.signal).finally(() => servers.close());
  } finally {
    unsubscribe();
    await leases.close();
    await connection.close();
  }
  return exitCodes.done;
}

async function listening(options: HealthOptions) {
  const { serveHealth } = await import("../operator/health.ts");
  return serveHealth(options).catch((error: unknown) => {
    if (!(error instanceof Error) || !("syscall" in error) || error.syscall !== "listen") throw error;
    throw usageFailure(`cannot listen: ${error.message}`, {
      next: ["--health-port and --metrics-port take other ports; 0 takes any"],
    });
  });
}

/** The machine's name, for people, and something that no other process has: a DNS label of at most 40 characters. */
function ownName(): string {
  const host = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 30)
    .replace(/^-+|-+$/g, "");
  return `${host || "operator"}-${randomBytes(4).toString("hex")}`;
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It is a number from ${least} to ${most}.`);
    }
    return value;
  };
}
