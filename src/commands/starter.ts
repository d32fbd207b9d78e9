import { type Command, Option } from "commander";
import { z } from "zod";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";

const port = (fallback: number) => z.coerce.number().int().min(0).max(65535).default(fallback);

/** The ports a service's container is told by the platform, and what the standards use otherwise. */
const environmentSchema = z.object({
  PORT: port(8080),
  METRICS_PORT: port(9090),
  OTEL_SERVICE_NAME: z.string().default("starter"),
});

/** `platform starter`: what a new service runs until its pipeline has pushed an image. */
export function addStarter(program: Command, bind: Bind): void {
  bind(
    program
      .command("starter", { hidden: true })
      .description("serve /healthz on 8080 and /metrics on 9090 (PORT, METRICS_PORT), until stopped")
      .addOption(new Option("--host <address>", "address to listen on").default("0.0.0.0")),
    async ({ terminal }, _args, raw) => {
      const { host } = z.object({ host: z.string() }).parse(raw);
      const environment = environmentSchema.safeParse(terminal.env);
      if (!environment.success) throw usageFailure("PORT and METRICS_PORT are port numbers");
      const { PORT, METRICS_PORT, OTEL_SERVICE_NAME: service } = environment.data;
      const stopped = new Promise<void>((resolve) => {
        terminal.onStop(() => resolve());
      });
      const { startStarter } = await import("../starter/server.ts");
      const now = () => performance.now();
      const wanted = { host, port: PORT, metricsPort: METRICS_PORT, service, now };
      const starter = await startStarter(wanted).catch((error: unknown) => {
        if (!(error instanceof Error) || !("syscall" in error) || error.syscall !== "listen") throw error;
        throw usageFailure(`cannot listen: ${error.message}`, {
          next: ["set PORT and METRICS_PORT to two ports that are free"],
        });
      });
      terminal.err.write(
        `The starter answers /healthz on port ${starter.port} and /metrics on ${starter.metricsPort}, until stopped.\n`,
      );
      await stopped;
      await starter.close();
      return exitCodes.done;
    },
  );
}
