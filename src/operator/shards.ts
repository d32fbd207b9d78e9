import { hash } from "node:crypto";

/** The first 48 bits of a hash: the same in every process, and even. */
function number(text: string): number {
  return Number.parseInt(hash("sha256", text).slice(0, 12), 16);
}

/** Which of `shards` shards a text belongs to, from 0. */
export function shardOf(text: string, shards: number): number {
  return shards === 1 ? 0 : number(text) % shards;
}

/**
 * Shares out shards among members: each gets as many as any other, give or take one, and most stay where they are when
 * a member comes or goes (rendezvous hashing with limits). All who know the same members come to the same.
 * @returns the member of each shard, by its number; empty where there are no members
 */
export function shareOut(members: readonly string[], shards: number): readonly string[] {
  if (members.length === 0) return [];
  const least = Math.floor(shards / members.length);
  /** Members that may have one more than the least. */
  let more = shards % members.length;
  const has = new Map<string, number>(members.map((member) => [member, 0]));
  return Array.from({ length: shards }, (_, shard) => {
    const willing = [...has].filter(([, count]) => count < least || (count === least && more > 0));
    const weight = ([member]: readonly [string, number]) => number(`${member} ${shard}`);
    const [owner, count] = willing.reduce((best, one) => (weight(one) > weight(best) ? one : best));
    if (count === least) more -= 1;
    has.set(owner, count + 1);
    return owner;
  });
}
