import type { Command } from "commander";
import type { Bind } from "./action.ts";
import { addRunActions } from "./run-actions.ts";
import { addRunList } from "./run-list.ts";

/** `platform run …`. */
export function addRun(program: Command, bind: Bind): void {
  const run = program.command("run").description("list, show, watch, retry and roll back runs, anyone's");
  addRunList(run, bind);
  addRunActions(run, bind);
}
