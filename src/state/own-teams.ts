import type { Standards } from "../standards/standards.ts";
import type { UseCases } from "./feeds/feed.ts";
import type { Stores } from "./stores.ts";

/** Names of the teams, one's own first: a new service is mostly theirs, and nobody else's is allowed. Pure. */
export function ownTeamsFirst(teams: Standards["teams"], groups: readonly string[]): readonly string[] {
  const isOwn = (name: string) => teams[name]?.groups.some((group) => groups.includes(group)) ?? false;
  const names = Object.keys(teams);
  return [...names.filter(isOwn), ...names.filter((name) => !isOwn(name))];
}

/** Asks the cluster who one is. What it does not say changes nothing. */
export async function putOwnTeamsFirst(
  { connection }: Pick<Stores, "connection">,
  { cluster, standards }: Pick<UseCases, "cluster" | "standards">,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { groups } = await cluster.whoAmI({ signal });
    if (!signal.aborted) connection.setState({ teams: ownTeamsFirst(standards.teams, groups) });
  } catch {
    // In the order of the standards, then; that the cluster does not answer is told elsewhere.
  }
}
