import type { Command } from "commander";
import { z } from "zod";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { documentOutput } from "./options.ts";
import { findingsText } from "./output/findings.ts";
import { documentFormats, writeDocument } from "./output/format.ts";
import type { Session } from "./session.ts";

/** `platform doctor`. */
export function addDoctor(program: Command, bind: Bind, version: string): void {
  bind(
    program
      .command("doctor")
      .description(
        "look at client, connection, rights, installation, operator and surroundings, and say how to mend",
      )
      .addOption(documentOutput())
      .addHelpText(
        "after",
        `
Writes nothing, and needs few rights: what cannot be seen is said to be so. Exits with 1 where something fails, and with
0 where there are warnings at most.

Examples:
  platform doctor
  platform --context prod-eu doctor -o json`,
      ),
    async (session, _args, raw) => {
      const { output } = z.object({ output: z.enum(documentFormats) }).parse(raw);
      const findings = await examined(session, version);
      const failed = findings.some(({ state }) => state === "fail");
      const { out } = session.terminal;
      if (output !== "text") {
        await writeDocument(out, output, "doctor", {
          ok: !failed,
          cluster: session.clusterName,
          items: findings,
        });
      } else out.write(findingsText(findings, { command: session.command, colors: out.colors }));
      return failed ? exitCodes.failed : exitCodes.done;
    },
  );
}

async function examined(session: Session, version: string) {
  const [{ examine }, { executingOn }, { systemTiming }] = await Promise.all([
    import("../installation/doctor/examine.ts"),
    import("../platform.ts"),
    import("../cluster/timing.ts"),
  ]);
  const { terminal, where } = session;
  return examine({
    client: {
      node: process.versions.node,
      version,
      environment: terminal.env,
      interactive: terminal.interactive,
      colors: terminal.out.colors,
    },
    // The sandbox is installed when it is first opened.
    connect: async () => (session.flags.sandbox ? (await session.platform()).cluster : session.connect()),
    parts: (cluster) => executingOn(cluster, where),
    clock: systemTiming,
  });
}
