import { serviceNameSchema } from "../../src/application/names.ts";
import { serviceRequestSchema } from "../../src/application/request.ts";
import { composition } from "./composition.ts";
import { sandboxStage } from "./sandbox-stage.ts";

// A process of its own that creates a service in a shared sandbox, one line a journaled event: to be killed.
const [folder, repositories, service] = process.argv.slice(2);
if (folder === undefined || repositories === undefined || service === undefined) process.exit(2);
const { cluster } = await sandboxStage(folder);
const { provisioner } = await composition(cluster, repositories);
const request = serviceRequestSchema.parse({
  name: serviceNameSchema.parse(service),
  language: "go",
  replicas: 2,
  database: "postgres",
});
const execution = await provisioner({ holder: `victim@here:${process.pid}` }).create(request, {
  onFailure: "rollback",
});
const tell = (type: string, step: string) => process.stdout.write(`${execution.name} ${type} ${step}\n`);
tell("RunStarted", "");
execution.subscribe((event) => tell(event.type, "step" in event ? event.step : ""));
await execution.finished;
