import type { ServiceName } from "../application/names.ts";
import { isClusterError } from "../cluster/errors.ts";
import { atRest } from "../provisioning/engine/decide.ts";
import { ProvisioningError } from "../provisioning/errors.ts";
import type { RunState } from "../provisioning/runs/run.ts";
import { type AboutService, isSameService, serviceText } from "../provisioning/runs/service-of-run.ts";
import { exitCodes } from "./exit-code.ts";
import { CommandFailure } from "./failure.ts";
import type { Session } from "./session.ts";

/** How long the engine of a run may take to say that it lives, in milliseconds. */
const takenWithin = 1_000;

/** Pause between two looks at a run and its holder, in milliseconds. */
const lookAgain = 1_000;

/**
 * Does what is asked of a service as soon as no other run is at work on it.
 * @throws CommandFailure (4) where one is, naming it, its holder and what can be done; with `wait` only where that
 *   holder is dead, and (130) where a person stopped the waiting
 */
export async function whenFree<T>(
  session: Session,
  about: AboutService & { readonly service: ServiceName },
  wait: boolean,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ProvisioningError) || error.kind !== "busy") throw error;
      const { provisioner, clock } = await session.platform();
      const runs = await provisioner.list({ service: about.service }).catch((failure: unknown) => {
        // A pipeline sees no run but its own: the refusal says which one it is.
        throw isClusterError(failure, "forbidden") ? error : failure;
      });
      const other = runs.find((run) => isSameService(run, about) && !atRest(run));
      if (!wait) throw other === undefined ? error : refusal(session, other, error);
      if (other !== undefined) await untilAtRest(session, other);
      // It has come to rest meanwhile, or is just being requested: asked again.
      else await clock.sleep(lookAgain);
    }
  }
}

function refusal({ command }: Session, other: RunState, cause: unknown): CommandFailure {
  return new CommandFailure(exitCodes.refused, `${serviceText(other)} is being worked on: ${who(other)}`, {
    next: [
      `${command("run", "watch", other.name)} follows it`,
      "--wait begins as soon as it is at rest",
      `${command("run", "resume", other.name)} takes it over, once its holder is dead`,
    ],
    cause,
  });
}

function who({ name, operation, requestedBy, holder }: RunState): string {
  const executor = holder === "" ? "taken by nobody yet" : `executed by ${holder}`;
  return `run ${name} (${operation}), asked for by ${requestedBy}, ${executor}`;
}

/** @throws CommandFailure (4) where nobody lives who could bring it to rest, and (130) */
async function untilAtRest(session: Session, other: RunState): Promise<void> {
  const { terminal, command } = session;
  const { provisioner, clock } = await session.platform();
  const stop = new AbortController();
  const unlisten = terminal.onStop(() => stop.abort());
  const over = new AbortController();
  const signal = AbortSignal.any([stop.signal, over.signal]);
  terminal.err.write(`Waiting for ${who(other)}\n`);
  const rest = async () => {
    for await (const state of provisioner.watch(other.name, signal)) if (atRest(state)) return "rest";
    return "gone";
  };
  try {
    const outcome = await Promise.race([
      rest(),
      clock.sleep(takenWithin, signal).then(() => dead(session, other, signal)),
    ]);
    if (outcome !== "dead") return;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    over.abort();
    unlisten();
  }
  if (stop.signal.aborted) throw new CommandFailure(exitCodes.interrupted, "stopped waiting");
  throw new CommandFailure(exitCodes.refused, `${who(other)}, and that process is dead`, {
    next: [
      `${command("run", "resume", other.name)} takes it over`,
      `${command("run", "rollback", other.name)} undoes it`,
    ],
  });
}

/** Looks again and again whether a run's holder lives, until it does not. */
async function dead(session: Session, other: RunState, signal: AbortSignal): Promise<"dead" | "rest"> {
  const [{ provisioner, cluster, clock }, { livingHolder }] = await Promise.all([
    session.platform(),
    import("../provisioning/engine/heartbeat.ts"),
  ]);
  for (;;) {
    if ((await livingHolder(cluster, clock, other.name)) === undefined) {
      // It may have come to rest while its holder was looked for; nobody is late where nobody has begun.
      const { phase } = await provisioner.get(other.name);
      return atRest({ phase }) || phase === "Pending" ? "rest" : "dead";
    }
    await clock.sleep(lookAgain, signal);
  }
}
