import type { Area } from "../../state/place.ts";
import type { Session } from "../../state/session.ts";

/** What an action needs of the terminal itself. */
export interface TerminalControl {
  /** Gives the terminal back to the shell until the program is continued (ctrl-z). */
  suspend(): void;
  /** Draws everything again, for a screen that another program wrote over. */
  redraw(): void;
}

/** What an action works on. */
export interface ActionContext {
  readonly session: Session;
  readonly terminal: TerminalControl;
}

/** Where an action's keys mean it; `everywhere` gives way to a screen's own. */
type Where = readonly Area[] | "everywhere";

/**
 * One thing a key does. The dispatcher, the line of keys, the help and the command palette are all made from the
 * table of these, so that none of them can tell what the others don't know.
 */
export interface Action {
  readonly id: string;
  /** As `Key.id` writes them; the first is the one that is shown. */
  readonly keys: readonly string[];
  /** What it does, as help and palette say it. */
  readonly title: string;
  readonly category: "Go" | "Move" | "Service" | "Run" | "Wizard" | "App";
  readonly on: Where;
  /**
   * Short word in the line of keys, the lowest rank first; left out: only help and palette have it. A function where
   * the word depends on what is shown, or the key is worth a hint only then.
   */
  readonly hint?: {
    readonly word: string | ((context: ActionContext) => string | undefined);
    readonly rank: number;
  };
  /** Whether its keys work while text is being typed on the screen. */
  readonly whileTyping?: boolean;
  /** Not offered in the palette: moving about. */
  readonly unlisted?: boolean;
  /** It ends or deletes something: help marks it. */
  readonly dangerous?: boolean;
  /** Why it cannot be done now, in a sentence; undefined where it can. */
  disabledReason?(context: ActionContext): string | undefined;
  run(context: ActionContext): void;
}
