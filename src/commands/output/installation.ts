import type { InstallationPlan } from "../../installation/installer.ts";
import type { Output } from "../terminal.ts";
import { type DocumentFormat, writeDocument } from "./format.ts";
import { count } from "./run-result.ts";
import { table } from "./table.ts";

/** What becomes of an object, in one word. */
const outcomes = { create: "created", change: "changed", delete: "deleted", none: "unchanged" } as const;

/** Fields of one object that are shown; the rest is counted. */
const shownFields = 6;

/** What an installation would do: a table, then the fields that change, then what one should know. */
export async function writeInstallation(
  out: Output,
  format: DocumentFormat,
  {
    context,
    dryRun,
    plan: { changes, notes },
  }: { readonly context: string; readonly dryRun: boolean; readonly plan: InstallationPlan },
): Promise<void> {
  const items = changes.map(({ object: { kind, metadata }, action, part, fields }) => ({
    part,
    kind,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name,
    outcome: outcomes[action],
    ...(fields.length === 0 ? {} : { fields }),
  }));
  if (format !== "text") {
    return writeDocument(out, format, "installation", { context, dryRun, items, notes });
  }
  const told = items.filter(({ outcome }) => outcome !== "unchanged");
  const unchanged = items.length - told.length;
  if (told.length > 0) {
    out.write(
      table(
        [
          { title: "PART", value: ({ part }) => part },
          { title: "KIND", value: ({ kind }) => kind },
          { title: "NAME", value: ({ name }) => name },
          { title: dryRun ? "WOULD BE" : "OUTCOME", value: ({ outcome }) => outcome },
        ],
        told,
      ),
    );
  }
  for (const { kind, name, fields = [] } of told) {
    if (fields.length === 0) continue;
    out.write(`\n${kind} ${name}\n`);
    for (const { field, before, after } of fields.slice(0, shownFields)) {
      if (before === undefined) out.write(`  + ${field}: ${after ?? ""}\n`);
      else if (after === undefined) out.write(`  - ${field}: ${before}\n`);
      else out.write(`  ~ ${field}: ${before} → ${after}\n`);
    }
    if (fields.length > shownFields)
      out.write(`    and ${count(fields.length - shownFields, "field")} more: -o yaml\n`);
  }
  if (unchanged > 0) out.write(`${told.length > 0 ? "\n" : ""}${count(unchanged, "object")} unchanged\n`);
  for (const note of notes) out.write(`▲ ${note}\n`);
}
