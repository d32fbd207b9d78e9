import type { Command } from "commander";
import { z } from "zod";
import { type Service, serviceKey } from "../services/service.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { demandService } from "./nearest-name.ts";
import { listOutput } from "./options.ts";
import { age } from "./output/age.ts";
import { type ListFormat, listFormats, writeDocument } from "./output/format.ts";
import { type Column, table } from "./output/table.ts";
import { serviceArgument, typedService } from "./service-ref.ts";
import type { Session } from "./session.ts";

const optionsSchema = z.object({ output: z.enum(listFormats) });

/** `platform service list|get`. */
export function addServiceList(service: Command, bind: Bind): void {
  bind(
    service
      .command("list")
      .alias("ls")
      .description("list services and how they are; what needs a person comes first")
      .addOption(listOutput()),
    async (session, _args, options) => {
      const { output } = optionsSchema.parse(options);
      await print(session, await services(session), output);
      return exitCodes.done;
    },
  );
  bind(
    service
      .command("get")
      .description("show one service, or all of a name")
      .argument("<name>", serviceArgument)
      .addOption(listOutput()),
    async (session, args, options) => {
      const { output } = optionsSchema.parse(options);
      const typed = typedService(args[0]);
      const { cluster, metrics } = await session.platform();
      const { readServices } = await import("../services/list.ts");
      const found = await readServices(cluster, metrics, typed);
      const { name, namespace } = typed;
      if (found.length === 0 && namespace !== undefined) {
        throw usageFailure(`there is no service ${name} in ${namespace}`, {
          next: [session.command("service", "get", name)],
        });
      }
      if (found.length === 0) {
        await demandService(session, name);
        throw usageFailure(`service ${name} has just been deleted`);
      }
      await print(session, found, output);
      return exitCodes.done;
    },
  );
}

async function services(session: Session): Promise<readonly Service[]> {
  const platform = await session.platform();
  const { listServices } = await import("../services/list.ts");
  return listServices(platform.cluster, platform.metrics);
}

async function print(session: Session, rows: readonly Service[], format: ListFormat): Promise<void> {
  const { out, err } = session.terminal;
  switch (format) {
    case "json":
    case "yaml":
      return writeDocument(out, format, "services", { items: rows });
    case "name":
      for (const row of rows) if (row.kind === "service") out.write(`service/${serviceKey(row)}\n`);
      return;
    case "table":
    case "wide": {
      if (rows.length === 0) {
        err.write(
          `no services on ${session.clusterName} yet\n  → ${session.command("service", "create", "NAME", "--language", "go")}\n`,
        );
        return;
      }
      out.write(table(columns(new Date()), rows, { wide: format === "wide" }));
    }
  }
}

function columns(now: Date): readonly Column<Service>[] {
  return [
    { title: "SERVICE", value: serviceKey },
    { title: "STATUS", value: (row) => row.verdict },
    {
      title: "READY",
      align: "right",
      value: ({ replicas }) => (replicas === undefined ? "–" : `${replicas.ready}/${replicas.wanted}`),
    },
    { title: "DATABASE", value: ({ database }) => storeText(database) },
    { title: "CACHE", value: ({ cache }) => storeText(cache) },
    { title: "MONITORING", value: ({ monitoring }) => monitoring.status },
    {
      title: "LAST RUN",
      value: ({ lastRun }) => (lastRun === undefined ? "–" : `${lastRun.operation} ${lastRun.phase}`),
    },
    { title: "AGE", align: "right", value: ({ createdAt }) => age(createdAt, now) },
    { title: "TEAM", wide: true, value: ({ team }) => team },
    { title: "NAMESPACE", wide: true, value: ({ namespace }) => namespace },
    { title: "IMAGE", wide: true, value: ({ image, starter }) => (starter ? `${image} (starter)` : image) },
    { title: "REASON", wide: true, value: ({ reason }) => reason },
  ];
}

function storeText(store: Service["database"]): string {
  if (store.type === "none") return "–";
  return store.ready ? store.type : `${store.type} (not ready)`;
}
