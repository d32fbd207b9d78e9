import type { Command } from "commander";
import type { Bind } from "./action.ts";

/** `platform doctor`. */
export function addDoctor(_program: Command, _bind: Bind, _version: string): void {}
