import { type Command, Option } from "commander";
import { z } from "zod";
import type { FieldChange } from "../application/spec-diff.ts";
import { type Release, releaseDiff } from "../provisioning/operations/releases.ts";
import { operationWords } from "../provisioning/plan.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { serviceNameFrom } from "./names.ts";
import { demandService } from "./nearest-name.ts";
import { listOutput } from "./options.ts";
import { age } from "./output/age.ts";
import { listFormats, writeDocument } from "./output/format.ts";
import { diffText } from "./output/plan.ts";
import { type Column, table } from "./output/table.ts";

/** `platform service releases`. */
export function addServiceReleases(service: Command, bind: Bind): void {
  bind(
    service
      .command("releases")
      .alias("history")
      .description("list what ran of a service, newest first, or compare two releases")
      .argument("<name>", "the service's name")
      .addOption(new Option("--diff <from..to>", "what differs between two releases, such as 1..3"))
      .addOption(listOutput())
      .addHelpText(
        "after",
        `
Examples:
  platform service releases api-gateway
  platform service releases api-gateway --diff 1..3
  platform service rollback api-gateway --to 1`,
      ),
    async (session, args, raw) => {
      const options = z.object({ output: z.enum(listFormats), diff: z.string().optional() }).parse(raw);
      const name = serviceNameFrom(args[0]);
      const range = options.diff === undefined ? undefined : rangeOf(options.diff);
      const { provisioner } = await session.platform();
      const releases = await provisioner.releases(name);
      if (releases.length === 0) await demandService(session, name);
      const { out, err } = session.terminal;
      const { output } = options;
      if (range !== undefined) {
        const [from, to] = range.map((number) => releaseIn(releases, number, name));
        const diff = from === undefined || to === undefined ? [] : releaseDiff(from, to);
        if (output === "json" || output === "yaml") {
          await writeDocument(out, output, "release-diff", {
            service: name,
            from: range[0],
            to: range[1],
            diff,
          });
        } else {
          out.write(`${diffLines(range, diff).join("\n")}\n`);
        }
      } else if (output === "json" || output === "yaml") {
        await writeDocument(out, output, "releases", { service: name, items: releases });
      } else if (output === "name") {
        for (const { number } of releases) out.write(`release/${number}\n`);
      } else if (releases.length === 0) {
        err.write(`no release of ${name} is recorded\n`);
      } else {
        out.write(table(columns(new Date()), releases, { wide: output === "wide" }));
      }
      return exitCodes.done;
    },
  );
}

/** @throws CommandFailure (2) */
function rangeOf(text: string): readonly [number, number] {
  const [, from, to] = /^([1-9][0-9]{0,8})\.\.([1-9][0-9]{0,8})$/.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    throw usageFailure(`--diff takes two releases, such as 1..3, not ${JSON.stringify(text)}`);
  }
  return [Number(from), Number(to)];
}

/** @throws CommandFailure (2) */
function releaseIn(releases: readonly Release[], number: number, name: string): Release {
  const found = releases.find((release) => release.number === number);
  if (found !== undefined) return found;
  const known = releases.map((release) => release.number).join(", ");
  throw usageFailure(
    `${name} has no release ${number}; ${known === "" ? "none is recorded" : `it has ${known}`}`,
  );
}

function diffLines([from, to]: readonly [number, number], diff: readonly FieldChange[]): readonly string[] {
  if (diff.length === 0) return [`releases ${from} and ${to} are the same`];
  return [`release ${from} → ${to}`, ...diffText(diff)];
}

function columns(now: Date): readonly Column<Release>[] {
  return [
    { title: "RELEASE", align: "right", value: ({ number }) => String(number) },
    { title: "CURRENT", value: ({ current }) => (current ? "*" : "") },
    { title: "OPERATION", value: ({ operation }) => operationWords[operation].done },
    { title: "IMAGE", value: ({ spec }) => shortImage(spec.image) },
    { title: "COMMIT", value: ({ commit }) => commit?.slice(0, 10) ?? "–" },
    { title: "BY", value: ({ by }) => by },
    { title: "AGE", align: "right", value: ({ at }) => age(at, now) },
    { title: "RUN", value: ({ run }) => run },
    { title: "WHEN", wide: true, value: ({ at }) => at },
    { title: "FULL IMAGE", wide: true, value: ({ spec }) => spec.image },
  ];
}

/** An image with its digest as short as people read it. */
function shortImage(image: string): string {
  return image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
}
