import type { Command } from "commander";
import type { Bind } from "./action.ts";
import { addSandboxFault } from "./sandbox-fault.ts";
import { addSandboxPipeline } from "./sandbox-pipeline.ts";
import { addSandboxServe } from "./sandbox-serve.ts";

/** `platform sandbox …`. */
export function addSandbox(program: Command, bind: Bind): void {
  const sandbox = program
    .command("sandbox")
    .description("serve and reset the embedded, simulated cluster, and inject faults into it");
  addSandboxServe(sandbox, bind);
  addSandboxFault(sandbox, bind);
  addSandboxPipeline(sandbox, bind);
}
