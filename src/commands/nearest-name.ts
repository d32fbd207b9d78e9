import { nearest } from "../application/nearest.ts";
import { ProvisioningError } from "../provisioning/errors.ts";
import { type CommandFailure, usageFailure } from "./failure.ts";
import type { Session } from "./session.ts";

/** The services there are, by the namespaces that are theirs. */
export async function serviceNames(session: Session): Promise<readonly string[]> {
  const [{ cluster }, { labels }, { resources }] = await Promise.all([
    session.platform(),
    import("../application/names.ts"),
    import("../cluster/resource.ts"),
  ]);
  const { items } = await cluster.listMetadata(resources.namespaces, {
    labelSelector: `${labels.managed}=true`,
  });
  return items.flatMap(({ metadata }) => metadata.labels?.[labels.service] ?? []);
}

/** The names of the runs there are, newest first. */
export async function runNames(session: Session): Promise<readonly string[]> {
  const { provisioner } = await session.platform();
  return (await provisioner.list()).map(({ name }) => name);
}

/** Does what is asked of a service; where there is none of that name, the nearest is offered. */
export function ofService<T>(session: Session, name: string, work: () => Promise<T>): Promise<T> {
  return orNearest(work, name, () => serviceNames(session), serviceWords(session, name));
}

/** @throws CommandFailure (2) where there is no service of that name, with the nearest */
export async function demandService(session: Session, name: string): Promise<void> {
  const known = await serviceNames(session);
  if (!known.includes(name)) throw unknown(name, known, serviceWords(session, name));
}

/** Does what is asked of a run; where there is none of that name, the nearest is offered. */
export function ofRun<T>(session: Session, name: string, work: () => Promise<T>): Promise<T> {
  return orNearest(work, name, () => runNames(session), {
    message: `there is no run ${name} on ${session.clusterName}`,
    hint: session.command("run", "list"),
  });
}

interface Words {
  readonly message: string;
  readonly hint: string;
}

function serviceWords(session: Session, name: string): Words {
  return {
    message: `there is no service ${name} on ${session.clusterName}`,
    hint: session.command("service", "list"),
  };
}

async function orNearest<T>(
  work: () => Promise<T>,
  name: string,
  names: () => Promise<readonly string[]>,
  words: Words,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProvisioningError) || error.kind !== "usage") throw error;
    // Who may not list has the answer they got.
    const known = await names().catch(() => [name]);
    if (known.includes(name)) throw error;
    throw unknown(name, known, words);
  }
}

function unknown(name: string, known: readonly string[], { message, hint }: Words): CommandFailure {
  const suggestion = nearest(name, known);
  return usageFailure(message, {
    next: [hint],
    ...(suggestion === undefined
      ? {}
      : { problems: [{ field: "name", message: "is not known", suggestion }] }),
  });
}
