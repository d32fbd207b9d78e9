import type { Command } from "commander";
import type { Bind } from "./action.ts";
import { addRunActions } from "./run-actions.ts";
import { addRunList } from "./run-list.ts";
import { addRunRollback } from "./run-rollback.ts";
import { addRunWatch } from "./run-watch.ts";

/** `platform run …`. */
export function addRun(program: Command, bind: Bind): void {
  const run = program
    .command("run")
    .description("list, show, watch, resume, retry, roll back and cancel runs, anyone's");
  addRunList(run, bind);
  addRunWatch(run, bind);
  addRunActions(run, bind);
  addRunRollback(run, bind);
}
