import { saidBy, sourceFactsSchema } from "../../backups/import-source.ts";
import { writes } from "../operations/describe.ts";
import type { Step } from "../step.ts";
import { atSource, importMark, sourceOf } from "./database-import.ts";

/** Both databases let the import in, and nothing that can be known beforehand speaks against it. */
export const proveSource: Step = {
  id: "prove_source",
  title: "Source",
  needs: ["preflight"],
  when: () => true,
  async describe(context) {
    const described = await writes(context, [importMark(context, "writable")]);
    return {
      ...described,
      notes: [
        `the source is what secret ${sourceOf(context)} names; jobs in the service's namespace log in to it`,
        "the service's database has to be empty, and the source's PostgreSQL no newer than it",
      ],
    };
  },
  async apply(context) {
    const said = await atSource(context, "prove", "writable");
    const facts = saidBy(sourceFactsSchema, said);
    await context.write.objects([importMark(context, facts?.readOnly === true ? "read-only" : "writable")]);
    if (facts === undefined) return { summary: "both databases let the import in" };
    const { version, tables, bytes, readOnly } = facts;
    return {
      summary: `PostgreSQL ${version}, ${tables} tables, ${bytes} bytes`,
      ...(readOnly ? { warnings: ["the source is read-only already: it stays so whatever happens"] } : {}),
    };
  },
};
