import type { NamespacePlan } from "../../provisioning/namespaces/manage.ts";
import type { Output } from "../terminal.ts";
import { type DocumentFormat, writeDocument } from "./format.ts";
import { count } from "./run-result.ts";
import { table } from "./table.ts";

/** What becomes of an object, in one word. */
const outcomes = {
  create: "created",
  change: "changed",
  replace: "replaced",
  delete: "deleted",
  none: "unchanged",
} as const;

/** What managing a namespace, or managing it no longer, writes: a table, then what one should know. */
export async function writeNamespace(
  out: Output,
  format: DocumentFormat,
  {
    context,
    dryRun,
    plan: { managed, changes, notes },
  }: { readonly context: string; readonly dryRun: boolean; readonly plan: NamespacePlan },
): Promise<void> {
  const items = changes.map(({ object: { kind, metadata }, action }) => ({
    kind,
    name: metadata.name,
    outcome: outcomes[action],
  }));
  if (format !== "text") {
    return writeDocument(out, format, "namespace", { context, dryRun, ...managed, items, notes });
  }
  const told = items.filter(({ outcome }) => outcome !== "unchanged");
  if (told.length > 0) {
    out.write(
      table(
        [
          { title: "KIND", value: ({ kind }) => kind },
          { title: "NAME", value: ({ name }) => name },
          { title: dryRun ? "WOULD BE" : "OUTCOME", value: ({ outcome }) => outcome },
        ],
        told,
      ),
    );
  }
  const unchanged = items.length - told.length;
  if (unchanged > 0) out.write(`${told.length > 0 ? "\n" : ""}${count(unchanged, "object")} unchanged\n`);
  for (const note of notes) out.write(`▲ ${note}\n`);
}
