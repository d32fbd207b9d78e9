import type { Command } from "commander";
import type { Bind } from "./action.ts";
import { addServiceChange } from "./service-change.ts";
import { addServiceCreate } from "./service-create.ts";
import { addServiceDelete } from "./service-delete.ts";
import { addServiceList } from "./service-list.ts";
import { addServiceLogs } from "./service-logs.ts";
import { addServiceOpen } from "./service-open.ts";
import { addServiceReleases } from "./service-releases.ts";

/** `platform service …`. */
export function addService(program: Command, bind: Bind): void {
  const service = program.command("service").description("create, list, show, change and delete services");
  addServiceCreate(service, bind);
  addServiceList(service, bind);
  addServiceChange(service, bind);
  addServiceReleases(service, bind);
  addServiceLogs(service, bind);
  addServiceOpen(service, bind);
  addServiceDelete(service, bind);
}
