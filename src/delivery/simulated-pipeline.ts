import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { relative, sep } from "node:path";
import { type ServiceName, serviceNameSchema } from "../application/names.ts";
import { nearest } from "../application/nearest.ts";
import { cleanText } from "../cluster/text.ts";
import type { BareRepository } from "./bare-repository.ts";
import { DeliveryError } from "./delivery-error.ts";
import { git } from "./git.ts";
import { platformAuthor } from "./git-commit.ts";

/** The branch whose commits are deployed. */
export const deployedBranch = "main";

/** A file of a repository that says what goes wrong with the commit it is in. */
export const simulationFile = ".simulate";

/** What happens to a commit before its image is pushed. */
export const stages = ["build", "test", "scan"] as const;

/** Behaviours of an image, which the sandbox's kubelets read in its tag (`docs/sandbox.md`). */
const images = [
  ...(["crash", "oom", "unready", "slow-pull", "missing", "private"] as const),
  ...(["no-metrics", "errors", "latency"] as const),
];

/** What is simulated of a commit. */
export interface Simulation {
  readonly fails?: (typeof stages)[number];
  /** How its image behaves; left out: well. */
  readonly image?: (typeof images)[number];
}

/** A commit that was pushed. */
export interface PushedCommit {
  /** Full hash. */
  readonly hash: string;
  readonly title: string;
  readonly author: string;
  /** Made by the platform itself: nothing to deploy. */
  readonly ours: boolean;
  readonly simulation: Simulation;
}

/**
 * The commit that a push made the head of the branch which is deployed, from what Git tells a post-receive hook: a
 * line `OLD NEW REF` a reference. Undefined where the branch was not pushed, or was deleted. Pure.
 */
export function pushedHead(input: string): string | undefined {
  for (const line of input.split("\n")) {
    const [, hash, branch] = /^[0-9a-f]{40,64} ([0-9a-f]{40,64}) refs\/heads\/(.+)$/.exec(line) ?? [];
    if (hash !== undefined && branch === deployedBranch && !/^0+$/.test(hash)) return hash;
  }
  return undefined;
}

/**
 * Whose repository a folder is, by its path below the folder of all repositories.
 * @throws DeliveryError where it is none of them
 */
export async function ownerOf(
  root: string,
  folder: string,
): Promise<{ readonly team: string; readonly service: ServiceName }> {
  const path = relative(await realpath(root), await realpath(folder)).split(sep);
  const [team = "", name = ""] = path;
  const service = serviceNameSchema.safeParse(name.replace(/\.git$/, ""));
  if (path.length !== 2 || !name.endsWith(".git") || !service.success || team === "..") {
    throw new DeliveryError(
      "invalid",
      `${folder} is no repository of the sandbox`,
      "push to the repository of a service",
    );
  }
  return { team, service: service.data };
}

/**
 * Reads a commit, and what is to be simulated of it.
 * @throws DeliveryError
 */
export async function readCommit(repository: BareRepository, hash: string): Promise<PushedCommit> {
  const inside = (...args: readonly string[]) =>
    git(repository.options, [`--git-dir=${repository.folder}`, ...args], { expect: "any" });
  const [shown, file] = await Promise.all([
    inside("log", "-1", "-z", "--format=%an%x00%ae%x00%s", "--end-of-options", hash),
    inside("cat-file", "blob", `${hash}:${simulationFile}`),
  ]);
  const [author = "", email = "", title = ""] = shown.stdout
    .split("\0")
    .map((field) => cleanText(field).trim());
  return {
    hash,
    title,
    author,
    ours: author === platformAuthor.name && email === platformAuthor.email,
    simulation: file.exitCode === 0 ? simulationOf(file.stdout) : {},
  };
}

/** @throws DeliveryError where a word is not known, with the nearest; lines that begin with # count as comments */
export function simulationOf(text: string): Simulation {
  const words = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const known: readonly string[] = [...stages.map((stage) => `${stage}-fails`), ...images];
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    const suggestion = nearest(unknown, known);
    throw new DeliveryError(
      "invalid",
      `${simulationFile}: unknown word ${cleanText(unknown).slice(0, 60)}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`,
      `it takes ${known.join(", ")}`,
    );
  }
  const fails = stages.find((stage) => words.includes(`${stage}-fails`));
  const image = images.find((behaviour) => words.includes(behaviour));
  return { ...(fails === undefined ? {} : { fails }), ...(image === undefined ? {} : { image }) };
}

/**
 * The image that a real pipeline would have pushed for a commit: its digest follows from service and commit, and a
 * simulated behaviour is its tag. Pure.
 */
export function simulatedImage(
  repository: string,
  { team, service }: { readonly team: string; readonly service: string },
  { hash, simulation: { image } }: Pick<PushedCommit, "hash" | "simulation">,
): string {
  const digest = createHash("sha256").update(`${team}/${service}@${hash}`).digest("hex");
  return `${repository}/${team}/${service}${image === undefined ? "" : `:${image}`}@sha256:${digest}`;
}

/** As whom the simulated pipeline of a service deploys. */
export function pipelineUser(service: string): string {
  return `system:serviceaccount:app-${service}:simulated-pipeline`;
}
