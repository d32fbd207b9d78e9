/** What a piece of text means; the theme decides how that looks. */
export type Tone =
  | "plain"
  | "dim"
  | "strong"
  /** The one accent: where one is, what a key does. */
  | "accent"
  | "good"
  | "warn"
  | "bad"
  /** The text cursor. */
  | "cursor";

/** Every sign the screens draw. A sign never stands without a word beside it. */
export interface Glyphs {
  readonly bar: string;
  readonly ok: string;
  readonly failed: string;
  readonly warning: string;
  readonly working: string;
  readonly waiting: string;
  readonly full: string;
  readonly half: string;
  readonly empty: string;
  readonly path: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly none: string;
  readonly dot: string;
  readonly newline: string;
  readonly spinner: readonly string[];
}

export interface Theme {
  readonly glyphs: Glyphs;
  /** Control sequences around text of a tone; empty where the terminal shows none. */
  readonly sgr: Readonly<Record<Tone, readonly [open: string, close: string]>>;
}

const unicode: Glyphs = {
  bar: "▌",
  ok: "✔",
  failed: "✖",
  warning: "▲",
  working: "◆",
  waiting: "·",
  full: "●",
  half: "◐",
  empty: "○",
  path: "›",
  arrow: "→",
  ellipsis: "…",
  none: "–",
  dot: "·",
  newline: "␤",
  spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

const ascii: Glyphs = {
  bar: ">",
  ok: "+",
  failed: "x",
  warning: "!",
  working: "~",
  waiting: ".",
  full: "*",
  half: "%",
  empty: "o",
  path: ">",
  arrow: "->",
  ellipsis: "~",
  none: "-",
  dot: "-",
  newline: "$",
  spinner: ["|", "/", "-", "\\"],
};

const off = "\u001b[39m";
const colours: Theme["sgr"] = {
  plain: ["", ""],
  dim: ["\u001b[2m", "\u001b[22m"],
  strong: ["\u001b[1m", "\u001b[22m"],
  accent: ["\u001b[36m", off],
  good: ["\u001b[32m", off],
  warn: ["\u001b[33m", off],
  bad: ["\u001b[31m", off],
  cursor: ["\u001b[7m", "\u001b[27m"],
};

/** Without colour: weight alone, as https://no-color.org asks. */
const monochrome: Theme["sgr"] = {
  ...colours,
  accent: ["\u001b[1m", "\u001b[22m"],
  good: ["", ""],
  warn: ["", ""],
  bad: ["\u001b[1m", "\u001b[22m"],
};

/**
 * The theme for a terminal: the 16 colours the user's own palette defines and no backgrounds, so that light and
 * dark terminals both work; none where NO_COLOR is set; ASCII where the terminal or the locale has no more.
 */
export function themeFor(env: Readonly<Record<string, string | undefined>>): Theme {
  const term = env.TERM ?? "";
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  const poor = term === "dumb" || term === "linux" || (locale !== "" && !/utf-?8/i.test(locale));
  const colour = (env.NO_COLOR ?? "") === "" && term !== "dumb" && !term.endsWith("-mono");
  return { glyphs: poor ? ascii : unicode, sgr: colour ? colours : monochrome };
}
