import { type Command, Option } from "commander";
import { z } from "zod";
import { cleanText } from "../cluster/text.ts";
import type { Bind } from "./action.ts";
import { changeService } from "./change-flow.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { openSession, type Session } from "./session.ts";
import { readAll, type Terminal } from "./terminal.ts";

/** `platform sandbox pipeline`: what the hook of a repository of the sandbox runs after a push. */
export function addSandboxPipeline(sandbox: Command, bind: Bind): void {
  bind(
    sandbox
      .command("pipeline", { hidden: true })
      .description("simulate a service's pipeline for the commit that was pushed, and deploy it")
      .addOption(new Option("--repository <folder>", "the repository").makeOptionMandatory()),
    async (session, _args, raw) => {
      const { repository } = z.object({ repository: z.string() }).parse(raw);
      if (!session.flags.sandbox) throw usageFailure("pipelines are simulated in the sandbox only");
      return simulate(session, repository, await readAll(session.terminal.stdin));
    },
  );
}

/** Who pushed may leave, with ctrl-c too: a pipeline goes on. */
function outlivingThePush(terminal: Terminal): Terminal {
  return {
    ...terminal,
    onStop: (listener) =>
      terminal.onStop((signal) => {
        if (signal === "SIGTERM") listener(signal);
      }),
  };
}

async function simulate(session: Session, folder: string, input: string): Promise<ExitCode> {
  const { sandbox } = session;
  const terminal = outlivingThePush(session.terminal);
  const unlisten = terminal.onStop(() => undefined);
  const say = (text: string) => terminal.out.write(`${text}\n`);
  const delivery = await import("../delivery/simulated-pipeline.ts");
  const hash = delivery.pushedHead(input);
  if (hash === undefined) {
    say(`simulated pipeline: only commits on ${delivery.deployedBranch} are deployed`);
    return exitCodes.done;
  }
  const owner = await delivery.ownerOf(sandbox.repositories, folder);
  const options = { binary: "git", environment: terminal.env, access: "local" } as const;
  const commit = await delivery.readCommit({ folder, options }, hash);
  if (commit.ours) {
    say("simulated pipeline: a commit of the platform itself is not deployed");
    return exitCodes.done;
  }
  const { service } = owner;
  say(`simulated pipeline of ${service} for ${hash.slice(0, 10)}, ${cleanText(commit.title)}`);
  for (const stage of delivery.stages) {
    if (commit.simulation.fails === stage) {
      say(`  ${stage.padEnd(8)} failed, as ${delivery.simulationFile} says; nothing is deployed`);
      return exitCodes.failed;
    }
    say(`  ${stage.padEnd(8)} passed`);
  }
  const own = openSession(terminal, session.flags, sandbox, { as: delivery.pipelineUser(service) });
  try {
    const { standards } = await own.platform();
    const image = delivery.simulatedImage(standards.images.repository, owner, commit);
    say(`  push     ${image}`);
    say("  deploy");
    return await changeService(
      own,
      service,
      { operation: "deploy", raw: { image, commit: hash } },
      { output: "text", dryRun: false, yes: true, wait: true, dataStores: "keep" },
    );
  } finally {
    unlisten();
    await own.close();
  }
}
