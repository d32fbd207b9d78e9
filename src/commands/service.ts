import type { Command } from "commander";
import type { Bind } from "./action.ts";
import { addServiceCreate } from "./service-create.ts";
import { addServiceDelete } from "./service-delete.ts";
import { addServiceList } from "./service-list.ts";

/** `platform service …`. */
export function addService(program: Command, bind: Bind): void {
  const service = program.command("service").description("create, list, show and delete services");
  addServiceCreate(service, bind);
  addServiceList(service, bind);
  addServiceDelete(service, bind);
}
