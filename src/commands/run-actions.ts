import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { nearest } from "../application/nearest.ts";
import { ProvisioningError } from "../provisioning/errors.ts";
import { type StepId, stepIds } from "../provisioning/plan.ts";
import type { RunName } from "../provisioning/runs/run.ts";
import type { Bind } from "./action.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { follow } from "./follow.ts";
import { runNameFrom } from "./names.ts";
import { ofRun } from "./nearest-name.ts";
import { runOutput, timeout } from "./options.ts";
import { type RunFormat, runFormats } from "./output/format.ts";
import { type OnFailureChoice, onFailureChoices, onFailureOfChange } from "./run-options.ts";
import { runView } from "./run-view-of.ts";
import { watchToRest } from "./run-watch.ts";
import type { Session } from "./session.ts";

const goOnSchema = z.object({
  output: z.enum(runFormats),
  onFailure: z.enum(onFailureChoices).optional(),
  timeout: z.number().optional(),
});

/** `platform run resume|retry|cancel`. */
export function addRunActions(run: Command, bind: Bind): void {
  bind(
    run
      .command("resume")
      .description("go on with a run that was interrupted, or take it over from a holder that is dead")
      .argument("<run>", "the run's name")
      .addOption(onFailureOfChange())
      .addOption(timeout())
      .addOption(runOutput()),
    async (session, args, raw) => {
      const options = goOnSchema.parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner } = await session.platform();
      return goOn(session, options, () =>
        ofRun(session, name, async () =>
          provisioner.resume(name, { onFailure: await onFailureOf(session, name, options) }),
        ),
      );
    },
  );
  bind(
    run
      .command("retry")
      .description("try the failed step again and go on; a run that waits for its next try does it at once")
      .argument("<run>", "the run's name")
      .addOption(
        new Option("--skip <step>", "go on without a failed step that may be left out; can be repeated")
          .argParser(skipped)
          .default([], "none"),
      )
      .addOption(
        new Option(
          "--take-lock <user@host>",
          "take the lock of a data store's Terraform state from who is named, and is certainly dead",
        ),
      )
      .addOption(onFailureOfChange())
      .addOption(timeout())
      .addOption(runOutput()),
    async (session, args, raw) => {
      const options = goOnSchema
        .extend({ skip: z.array(z.enum(stepIds)), takeLock: z.string().max(320).optional() })
        .parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner } = await session.platform();
      const { skip, takeLock: lockHolder } = options;
      try {
        return await goOn(session, options, () =>
          ofRun(session, name, async () =>
            provisioner.retry(name, {
              onFailure: await onFailureOf(session, name, options),
              skip,
              ...(lockHolder === undefined ? {} : { lockHolder }),
            }),
          ),
        );
      } catch (error) {
        const busy = error instanceof ProvisioningError && error.kind === "busy";
        if (!busy || skip.length > 0 || lockHolder !== undefined || !(await waitsForNextTry(session, name)))
          throw error;
        await provisioner.retryNow(name);
        session.terminal.err.write(`${error.message}, which was asked not to wait for its next try\n`);
        return watchToRest(session, name, options.output);
      }
    },
  );
  bind(
    run
      .command("cancel")
      .description(
        "stop a run between two writes, to resume it or roll it back; or take back what nobody has begun with",
      )
      .argument("<run>", "the run's name")
      .addOption(runOutput()),
    async (session, args, raw) => {
      const { output } = z.object({ output: z.enum(runFormats) }).parse(raw);
      const name = runNameFrom(args[0]);
      const { provisioner, cluster } = await session.platform();
      const state = await ofRun(session, name, () => provisioner.cancel(name));
      const stopped = state.phase === "Interrupted" || state.phase === "Refused";
      const code = stopped ? exitCodes.done : exitCodeOf(state.phase, "completion");
      runView(session, cluster.context, output).finished(state, code);
      return code;
    },
  );
}

async function goOn(
  session: Session,
  options: { readonly output: RunFormat; readonly timeout?: number | undefined },
  begin: Parameters<typeof follow>[1],
): Promise<ExitCode> {
  const { provisioner, cluster } = await session.platform();
  return follow(session, begin, runView(session, cluster.context, options.output, { begun: true }), {
    asked: "completion",
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    rollBack: (run) => provisioner.rollback(run, { dataStores: "keep-used" }),
  });
}

/** As it was said; else a creation rolls back, what makes data stores is held, and of a change the standards decide. */
async function onFailureOf(
  session: Session,
  name: RunName,
  { onFailure }: { readonly onFailure?: OnFailureChoice | undefined },
): Promise<OnFailureChoice> {
  if (onFailure !== undefined) return onFailure;
  const { provisioner, standards } = await session.platform();
  const { operation } = await provisioner.get(name);
  if (operation === "provision") return "hold";
  return operation === "create" ? "rollback" : standards.workload.onUnhealthy;
}

async function waitsForNextTry(session: Session, name: RunName): Promise<boolean> {
  const { provisioner } = await session.platform();
  return (await provisioner.get(name)).steps.some(({ phase }) => phase === "Retrying");
}

function skipped(text: string, before: unknown): readonly StepId[] {
  const step = stepIds.find((id) => id === text);
  if (step !== undefined) return [...z.array(z.enum(stepIds)).parse(before), step];
  const suggestion = nearest(text, stepIds);
  throw new InvalidArgumentError(
    `It is a step such as configure_network${suggestion === undefined ? "." : `; did you mean ${suggestion}?`}`,
  );
}
