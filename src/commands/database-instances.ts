import type { Application } from "../application/application.ts";
import type { ServiceName } from "../application/names.ts";
import { providerOf } from "../application/store-provider.ts";
import { type ListFormat, writeDocument } from "./output/format.ts";
import { type Column, table } from "./output/table.ts";
import type { Session } from "./session.ts";

/** An instance of a database at Google, as a list shows it. Times are RFC 3339. */
export interface Instance {
  readonly name: string;
  /** Whether the service uses it. */
  readonly used: boolean;
  /** The instance and the moment that it began as; unset for one that began empty. */
  readonly from?: { readonly instance: string; readonly at: string };
  readonly madeAt?: string;
  /** Any moment between these can be brought back, as far as the platform knows: Google has the last word. Of the one in use. */
  readonly moments?: { readonly from: string; readonly to: string };
  /** The ConfigMap that says where it is: what is removed where the service does not use it. */
  readonly record: string;
}

/** The instances of a service's database, the one in use first; undefined where it is not Cloud SQL. */
export async function instancesOf(
  session: Session,
  { metadata, spec }: Application,
): Promise<readonly Instance[] | undefined> {
  if (providerOf(spec, "database") !== "cloudsql") return undefined;
  const { cluster } = await session.platform();
  const [{ recordsOf }, { momentsOf, storesIn }] = await Promise.all([
    import("../provisioning/data-stores/known-store.ts"),
    import("../provisioning/data-stores/cloud-store.ts"),
  ]);
  const { name: service, namespace } = metadata;
  const now = new Date();
  const records = await recordsOf(cluster, namespace, `${service}-db`);
  return records.flatMap((record) => {
    const [store] = storesIn(record);
    if (store?.provider !== "cloudsql") return [];
    const used = record.metadata.name === `${service}-db`;
    const { name, clone } = store.variables;
    const { from, to } = momentsOf(store, now);
    return [
      {
        name,
        used,
        ...(clone === null ? {} : { from: { instance: clone.source_instance, at: clone.point_in_time } }),
        ...(store.madeAt === undefined ? {} : { madeAt: store.madeAt }),
        ...(used ? { moments: { from: from.toISOString(), to: to.toISOString() } } : {}),
        record: `${namespace}/configmap/${record.metadata.name}`,
      },
    ];
  });
}

/** Shows the instances of a database, what it can be brought back to, and how those go that nobody uses. */
export async function printInstances(
  session: Session,
  service: ServiceName,
  items: readonly Instance[],
  format: ListFormat,
): Promise<void> {
  const { out, err } = session.terminal;
  if (format === "json" || format === "yaml") {
    return writeDocument(out, format, "instances", { service, items });
  }
  if (format === "name") {
    for (const { name } of items) out.write(`instance/${name}\n`);
    return;
  }
  if (items.length === 0) {
    err.write(
      `nothing says where the database of ${service} is: ${session.command("run", "list", service)} shows what was done with it\n`,
    );
    return;
  }
  out.write(table(columns, items, { wide: format === "wide" }));
  const unused = items.filter(({ used }) => !used);
  err.write(
    `\nany moment can be brought back: ${session.command("database", "restore", service, "--to-time", "TIME")}\n`,
  );
  for (const { record } of unused) {
    err.write(
      `once nobody needs it: ${session.command("orphans", "delete", record, "--confirm", service)}\n`,
    );
  }
}

const columns: readonly Column<Instance>[] = [
  { title: "INSTANCE", value: ({ name }) => name },
  { title: "IN USE", value: ({ used }) => (used ? "yes" : "no") },
  { title: "MOMENTS SINCE", value: ({ moments }) => moments?.from ?? "–" },
  {
    title: "BEGAN AS",
    value: ({ from }) => (from === undefined ? "empty" : `${from.instance} at ${from.at}`),
  },
  { title: "MADE", wide: true, value: ({ madeAt }) => madeAt ?? "–" },
];
