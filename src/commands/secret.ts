import type { Command } from "commander";
import { z } from "zod";
import { namespaceOf, type ServiceName } from "../application/names.ts";
import type { SecretInfo } from "../secrets/list-secrets.ts";
import type { Bind } from "./action.ts";
import { applicationOfService } from "./application-of-service.ts";
import { exitCodes } from "./exit-code.ts";
import { serviceNameFrom } from "./names.ts";
import { ofService } from "./nearest-name.ts";
import { listOutput } from "./options.ts";
import { age } from "./output/age.ts";
import { type ListFormat, listFormats, writeDocument } from "./output/format.ts";
import { type Column, table } from "./output/table.ts";
import { addSecretRotate } from "./secret-rotate.ts";
import { addOwnSecrets } from "./secret-set.ts";
import type { Session } from "./session.ts";

/** `platform secret list|set|remove|rotate`. */
export function addSecret(program: Command, bind: Bind): void {
  const secret = program
    .command("secret")
    .description(
      "list what secrets a service has, never their values; give it its own, and its data stores new passwords",
    );
  addList(secret, bind);
  addOwnSecrets(secret, bind);
  addSecretRotate(secret, bind);
}

function addList(secret: Command, bind: Bind): void {
  bind(
    secret
      .command("list")
      .alias("ls")
      .description("list a service's secrets: names, versions, ages and who reads them, never values")
      .argument("<service>", "the service's name")
      .addOption(listOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(listFormats) }).parse(raw);
      const service = serviceNameFrom(args[0]);
      const { items, seen } = await ofService(session, service, () => secretsOf(session, service));
      await print(session, service, items, output);
      if (!seen) {
        session.terminal.err.write(
          `you may not see the secrets of ${namespaceOf(service)}: ages, and versions of passwords, are not shown, and there may be more\n`,
        );
      }
      return exitCodes.done;
    },
  );
}

async function secretsOf(session: Session, service: ServiceName) {
  const { cluster, standards } = await session.platform();
  const [{ listSecrets }, { storesThatTurn }] = await Promise.all([
    import("../secrets/list-secrets.ts"),
    import("../provisioning/data-stores/turns.ts"),
  ]);
  const application = await applicationOfService(session, service);
  return listSecrets(cluster, application, standards, await storesThatTurn(cluster, application));
}

async function print(
  session: Session,
  service: ServiceName,
  items: readonly SecretInfo[],
  format: ListFormat,
): Promise<void> {
  const { out, err } = session.terminal;
  if (format === "json" || format === "yaml") {
    return writeDocument(out, format, "secrets", { service, items });
  }
  if (format === "name") {
    for (const { name } of items) out.write(`secret/${name}\n`);
    return;
  }
  if (items.length === 0) {
    err.write(`${service} has no secrets: neither a database nor a cache, nor any of its own\n`);
    return;
  }
  out.write(table(columns(new Date()), items, { wide: format === "wide" }));
}

function columns(now: Date): readonly Column<SecretInfo>[] {
  return [
    { title: "NAME", value: ({ name }) => name },
    {
      title: "OF",
      value: ({ of, variable, external }) => variable ?? (external === true ? `${of} (external)` : of),
    },
    {
      title: "VERSION",
      align: "right",
      value: ({ version }) => (version === undefined ? "–" : String(version)),
    },
    { title: "CHANGED", align: "right", value: ({ changedAt }) => age(changedAt, now) },
    { title: "USED BY", value: ({ users }) => users.join(", ") || "–" },
    { title: "AGE", align: "right", wide: true, value: ({ createdAt }) => age(createdAt, now) },
    { title: "ROTATES", wide: true, value: ({ rotates }) => (rotates ? "yes" : "no") },
  ];
}
