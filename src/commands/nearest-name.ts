import { nearest } from "../application/nearest.ts";
import { refText } from "../application/service-ref.ts";
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

/**
 * Does what is asked of a service that runs change; where there is none of that name, the nearest is offered, or what
 * to type about one that shares its namespace.
 */
export function ofService<T>(session: Session, name: string, work: () => Promise<T>): Promise<T> {
  const words = serviceWords(session, name);
  return orNearest(
    work,
    name,
    () => serviceNames(session),
    async (known) => (await byKubectl(session, name)) ?? unknown(name, known, words),
  );
}

/**
 * @throws CommandFailure (2) where there is no service of that name that runs change: with the nearest, or with what to
 *   type about one that shares its namespace
 */
export async function demandService(session: Session, name: string): Promise<void> {
  const known = await serviceNames(session);
  if (known.includes(name)) return;
  throw (await byKubectl(session, name)) ?? unknown(name, known, serviceWords(session, name));
}

/** What is said of services of this name that no run changes; undefined where there are none. */
async function byKubectl(session: Session, name: string): Promise<CommandFailure | undefined> {
  const [{ cluster }, { sharingServices }, { kubectlEdit }] = await Promise.all([
    session.platform(),
    import("../services/locate.ts"),
    import("../services/by-kubectl.ts"),
  ]);
  const found = await sharingServices(cluster, name);
  if (found.length === 0) return undefined;
  const places = found.map(({ namespace }) => namespace).join(" and ");
  return usageFailure(`no run changes ${name} in ${places}: it was applied with kubectl`, {
    next: found.flatMap((service) => [
      kubectlEdit(service),
      session.command("service", "delete", refText(service)),
    ]),
  });
}

/** Does what is asked of a run; where there is none of that name, the nearest is offered. */
export function ofRun<T>(session: Session, name: string, work: () => Promise<T>): Promise<T> {
  const words = {
    message: `there is no run ${name} on ${session.clusterName}`,
    hint: session.command("run", "list"),
  };
  return orNearest(
    work,
    name,
    () => runNames(session),
    async (known) => unknown(name, known, words),
  );
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
  otherwise: (known: readonly string[]) => Promise<CommandFailure>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProvisioningError) || error.kind !== "usage") throw error;
    // Who may not list has the answer they got.
    const known = await names().catch(() => [name]);
    if (known.includes(name)) throw error;
    throw await otherwise(known);
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
