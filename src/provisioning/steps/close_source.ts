import { closedFactsSchema, saidBy } from "../../backups/import-source.ts";
import { writes } from "../operations/describe.ts";
import type { Step } from "../step.ts";
import { atSource, closedMark } from "./database-import.ts";

/** Nobody writes to the source from here on, until the import is taken back. */
export const closeSource: Step = {
  id: "close_source",
  title: "Source read-only",
  needs: ["copy_source"],
  when: () => true,
  async describe(context) {
    const described = await writes(context, [closedMark(context)]);
    return {
      ...described,
      notes: [
        "from here on the source is read-only, and its connections end: as long as one more copy takes, whose length the step before tells, and for good once the import is over",
      ],
    };
  },
  async apply(context) {
    await context.write.objects([closedMark(context)]);
    const facts = saidBy(closedFactsSchema, await atSource(context, "close"));
    const warnings =
      facts === undefined
        ? []
        : [
            ...(facts.whole
              ? []
              : [
                  "read-only for the import's own login alone: it does not own the source, so whoever else writes to it must be stopped",
                ]),
            ...(facts.left === 0
              ? []
              : [
                  `${facts.left} ${facts.left === 1 ? "session of another login is" : "sessions of other logins are"} still connected to the source, and may still write`,
                ]),
          ];
    return {
      summary: facts?.whole === false ? "read-only for the import's login" : "read-only",
      ...(warnings.length === 0 ? {} : { warnings }),
    };
  },
};
