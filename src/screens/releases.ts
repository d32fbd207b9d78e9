import { type Release, releaseDiff } from "../provisioning/operations/releases.ts";
import { operationWords } from "../provisioning/plan.ts";
import { releasePaneLines } from "../state/lists.ts";
import type { Releases } from "../state/stores.ts";
import { message } from "./components/frame.tsx";
import { fieldChangeLines, shortImage } from "./field-changes.ts";
import { abbreviate, cell, clip, type Line, line, span, widthOf } from "./line.ts";
import type { Glyphs } from "./theme.ts";
import { age } from "./time.ts";

/** Digits of a commit that are shown, as Git shows them. */
const commitLength = 7;

interface ReleasesView {
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly columns: number;
  readonly now: number;
  readonly glyphs: Glyphs;
  /** Number of the release that others are compared with; undefined: the one that runs. */
  readonly against: number | undefined;
}

/** The releases of a service, and what differs between the one under the cursor and another. */
export function releasesView({ status, releases }: Releases, view: ReleasesView): readonly Line[] {
  const { glyphs, columns, height } = view;
  const under = releases[view.index];
  if (under === undefined) {
    return status === "loading"
      ? message(`Reading the releases${glyphs.ellipsis}`)
      : message("No releases.", "The first one is what the creation of the service deploys.", columns);
  }
  const current = releases.find((release) => release.current);
  const compared = releases.find(({ number }) => number === view.against) ?? current ?? under;
  const table = tableLines(releases, view);
  const room = Math.max(2, height - releasePaneLines);
  const space = Array.from({ length: Math.max(0, room - table.length) }, (): Line => []);
  // The pane stands still at the foot of the screen, however many releases there are.
  return [...table.slice(0, room), ...space, ...paneLines(under, compared, view)];
}

function tableLines(releases: readonly Release[], view: ReleasesView): readonly Line[] {
  const { columns, glyphs, now } = view;
  const imageWidth = releases.reduce(
    (width, { spec }) => Math.max(width, Math.min(20, widthOf(shortImage(spec.image)))),
    5,
  );
  const byWidth = releases.reduce((width, { by }) => Math.max(width, Math.min(20, widthOf(by))), 2);
  const withCommit = releases.some(({ commit }) => commit !== undefined);
  const commitWidth = withCommit ? commitLength + 2 : 0;
  const commitCell = (commit: string) =>
    withCommit ? `${cell(commit.slice(0, commitLength), commitLength)}  ` : "";
  const runWidth = columns - 39 - imageWidth - commitWidth - byWidth;
  const withRun = runWidth >= 20;
  const heading = line(
    `     ${cell("RELEASE", 11)}  ${cell("IMAGE", imageWidth)}  ${commitCell("COMMIT")}${cell("BY", byWidth)}  ${cell("HOW", 10)}  ${cell("AGE", 4, "right")}${withRun ? "  RUN" : ""}`,
    "dim",
  );
  const room = Math.max(1, view.height - releasePaneLines - 1);
  const rows = releases.slice(view.top, view.top + room).map((release, offset): Line => {
    const under = view.top + offset === view.index;
    const { number, current, by, at, operation, spec, run, commit = "" } = release;
    return [
      span(under ? ` ${glyphs.bar}` : "  ", "accent"),
      span(`${current ? glyphs.full : glyphs.empty}  `, current ? "good" : "dim"),
      span(
        cell(`${number}${current ? " current" : ""}${number === view.against ? " marked" : ""}`, 11),
        under ? "strong" : "plain",
      ),
      span(`  ${cell(shortImage(spec.image), imageWidth)}  `),
      span(commitCell(commit), "dim"),
      span(cell(by, byWidth), "dim"),
      span(`  ${cell(operationWords[operation].done, 10)}  `, "dim"),
      span(cell(age(at, now), 4, "right"), "dim"),
      span(withRun ? `  ${abbreviate(run, runWidth)}` : "", "dim"),
    ];
  });
  return [heading, ...rows];
}

/** What the release under the cursor is, and what would be different from another. */
function paneLines(under: Release, compared: Release, view: ReleasesView): readonly Line[] {
  const { columns, glyphs } = view;
  const field = (label: string, text: string): Line => [
    span(`   ${label.padEnd(9)}`, "dim"),
    span(abbreviate(text, columns - 14)),
  ];
  const head: readonly Line[] = [
    [],
    line(`   Release ${under.number}`, "strong"),
    field("Image", under.spec.image),
    field("Run", `${under.run}, asked for by ${under.by}`),
    [],
  ];
  if (under.number === compared.number) {
    const said = under.current ? "This is what runs." : "This is what the others are compared with.";
    return [...head, line(`   ${said}`, "dim")];
  }
  const diff = releaseDiff(compared, under);
  const title = `From ${compared.number}${compared.current ? ", which runs," : ""} to ${under.number}`;
  const most = releasePaneLines - head.length - 1;
  return [
    ...head,
    line(
      `   ${clip(`${title}${diff.length === 0 ? ": nothing differs" : ""}`, columns - 4, glyphs.ellipsis)}`,
      "dim",
    ),
    ...fieldChangeLines(diff, { columns, most, glyphs }),
  ];
}
