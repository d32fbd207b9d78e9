import { atRest } from "../provisioning/engine/decide.ts";
import { editForm } from "../state/change.ts";
import { type Key, keysOfText } from "../state/key.ts";
import { listStart } from "../state/list.ts";
import { bodyLines } from "../state/lists.ts";
import { areaOf, listOf, type Place } from "../state/place.ts";
import { nameToType } from "../state/reviews.ts";
import { emptyEntry, press } from "../state/text-entry.ts";
import { filterOf, go, type Overlay, placeOf, withFilter } from "../state/ui.ts";
import { edit } from "../state/wizard.ts";
import { titleOf } from "./actions/subject.ts";
import { verbKeys } from "./actions/verb-actions.ts";
import { type ActionContext, actionFor } from "./actions.ts";
import { helpLines } from "./help-lines.ts";
import { paletteEntries, runPaletteEntry } from "./palette-entries.ts";

/**
 * Gives a key to whoever has the focus: palette, dialog or help; then the text being typed; then the screen's own
 * keys; then those of everywhere. A key that nobody knows does nothing; one that cannot be done now says why.
 */
export function dispatch(context: ActionContext, key: Key): void {
  const { session } = context;
  if (key.id.startsWith("alt-")) {
    dispatchAlt(context, key);
    return;
  }
  const { overlay } = session.ui();
  if (overlay !== undefined) {
    inOverlay(context, overlay, key);
    return;
  }
  if (key.id !== "ctrl-c" && session.ui().leaveArmedAt !== undefined) {
    session.setUi((ui) => ({ ...ui, leaveArmedAt: undefined, notice: undefined }));
  }
  if (typed(context, key)) return;
  act(context, key.id);
}

/** Alt and a letter is no key of ours: it was escape and the letter, pressed so fast that one chunk held both. */
function dispatchAlt(context: ActionContext, key: Key): void {
  dispatch(context, { id: "esc" });
  for (const following of keysOfText(key.id.slice(4))) dispatch(context, following);
}

function act(context: ActionContext, key: string, onlyWhileTyping = false): boolean {
  const { session } = context;
  const action = actionFor(key, areaOf(placeOf(session.ui())));
  if (action === undefined || (onlyWhileTyping && action.whileTyping !== true)) return false;
  const reason = action.disabledReason?.(context);
  if (reason !== undefined) session.notify({ text: reason, tone: "warn" });
  else action.run(context);
  return true;
}

/** Whether the key went into a text entry, or was one of the keys that work beside it. */
function typed(context: ActionContext, key: Key): boolean {
  const { session } = context;
  const ui = session.ui();
  const place = placeOf(ui);
  if (filterOf(ui, place.screen).editing) return inFilter(context, place, key);
  if (place.screen === "wizard") {
    const wizard = edit(ui.wizard, key, session.facts());
    if (wizard !== undefined) {
      session.setUi((now) => ({ ...now, wizard, notice: undefined }));
      return true;
    }
    const text = ui.wizard.question === "name" || ui.wizard.question === "replicas";
    return text && (act(context, key.id, true) || key.text !== undefined);
  }
  if (place.screen === "change" && ui.change === undefined && key.text !== undefined) {
    session.notify({ text: "the service is still being read", tone: "info" });
    return true;
  }
  if (place.screen === "change" && ui.change !== undefined) {
    const suggests = ui.change.kind === "scale" && key.id === "tab";
    const change = suggests ? undefined : editForm(ui.change, key);
    if (change !== undefined) {
      session.setUi((now) => ({ ...now, change, notice: undefined }));
      return true;
    }
    if (!ui.change.review) return act(context, key.id, true) || key.text !== undefined;
  }
  if (nameToType(session.stores) !== undefined) {
    const confirmation = press(ui.confirmation, key);
    if (confirmation !== undefined) {
      session.setUi((now) => ({ ...now, confirmation, notice: undefined }));
      return true;
    }
    return act(context, key.id, true);
  }
  return false;
}

function inFilter(context: ActionContext, place: Place, key: Key): boolean {
  const { session } = context;
  const { screen } = place;
  const { entry: before } = filterOf(session.ui(), screen);
  if (key.id === "esc" || key.id === "enter") {
    const entry = key.id === "esc" ? emptyEntry : before;
    session.setUi((ui) => withFilter(ui, screen, { entry, editing: false }));
    return true;
  }
  const entry = press(before, key);
  if (entry !== undefined) {
    session.setUi((ui) => ({
      ...withFilter(ui, screen, { entry, editing: true }),
      lists: entry.text === before.text ? ui.lists : { ...ui.lists, [listOf(place)]: listStart },
    }));
    return true;
  }
  // Moving through what the filter leaves, while typing it.
  return act(context, key.id) || true;
}

function inOverlay(context: ActionContext, overlay: Overlay, key: Key): void {
  const { session } = context;
  const close = () => session.setUi((ui) => ({ ...ui, overlay: undefined }));
  switch (overlay.kind) {
    case "help": {
      if (["esc", "q", "?", "enter", "ctrl-c"].includes(key.id)) {
        close();
        return;
      }
      const ui = session.ui();
      const page = bodyLines(ui);
      const most = Math.max(0, helpLines(areaOf(placeOf(ui))).length - page);
      const step = {
        up: -1,
        k: -1,
        down: 1,
        j: 1,
        "page-up": -page,
        "page-down": page,
        space: page,
        g: -1e6,
        G: 1e6,
      }[key.id];
      if (step === undefined) return;
      const top = Math.max(0, Math.min(most, overlay.top + step));
      session.setUi((now) => ({ ...now, overlay: { kind: "help", top } }));
      return;
    }
    case "palette": {
      if (key.id === "esc" || key.id === "ctrl-c") {
        close();
        return;
      }
      const entries = paletteEntries(context, overlay.entry.text);
      if (key.id === "enter") {
        close();
        const chosen = entries[Math.min(overlay.cursor, entries.length - 1)];
        if (chosen === undefined) {
          session.notify({ text: "no command is named so", tone: "warn" });
          return;
        }
        runPaletteEntry(context, chosen);
        return;
      }
      const step = { up: -1, down: 1, "shift-tab": -1, tab: 1, "ctrl-p": -1, "ctrl-n": 1 }[key.id];
      if (step !== undefined) {
        const cursor = Math.max(0, Math.min(entries.length - 1, overlay.cursor + step));
        session.setUi((ui) => ({ ...ui, overlay: { ...overlay, cursor } }));
        return;
      }
      const entry = press(overlay.entry, key);
      if (entry === undefined) return;
      session.setUi((ui) => ({ ...ui, overlay: { kind: "palette", entry, cursor: 0 } }));
      return;
    }
    case "stop-run":
      inStopDialog(context, overlay, key);
      return;
    case "other-run":
      inOtherRunDialog(context, overlay, key);
      return;
  }
}

/** Watch, wait or take over: what one can do about the run that is in the way. */
function inOtherRunDialog(
  { session }: ActionContext,
  { run, waiting }: Overlay & { readonly kind: "other-run" },
  key: Key,
): void {
  const { states, holders } = session.stores.openRuns.getState();
  const state = states[run];
  const close = () => session.setUi((ui) => ({ ...ui, overlay: undefined }));
  if (key.id === "esc" || key.id === "q" || key.id === "ctrl-c") {
    close();
    if (waiting) session.notify({ text: "not waited for any more: nothing was begun", tone: "info" });
    return;
  }
  if (state === undefined) return;
  const subject = { name: run, service: state.service, title: titleOf(state) };
  const show = () => session.setUi((ui) => go(ui, { screen: "run", run, title: subject.title }));
  switch (key.id) {
    case "w":
    case "enter":
      show();
      return;
    case "a":
      if (!atRest(state)) session.waitForOther();
      return;
    case verbKeys.resume:
      if (atRest(state) || holders[run] !== "dead") return;
      show();
      session.resume(subject);
  }
}

function inStopDialog(
  context: ActionContext,
  { run, title, leaving }: Overlay & { readonly kind: "stop-run" },
  key: Key,
): void {
  const { session } = context;
  const close = () => session.setUi((ui) => ({ ...ui, overlay: undefined }));
  switch (key.id) {
    case "g":
    case "esc":
    case "enter":
      close();
      return;
    case verbKeys.rollback:
    case verbKeys.cancel:
    case "ctrl-c": {
      close();
      session.notify({ text: "finishing the write in hand, then stopping", tone: "info" });
      const service = session.stores.openRuns.getState().states[run]?.service ?? "";
      void session.cancel({ name: run, service, title }).then(() => {
        const state = session.stores.openRuns.getState().states[run];
        if (state === undefined || !atRest(state)) return;
        if (key.id === verbKeys.rollback) {
          session.setUi((ui) => ({
            ...ui,
            stack: [
              { screen: "services" },
              { screen: "run", run, title },
              { screen: "rollback", run, title, service },
            ],
            confirmation: emptyEntry,
            dataStores: "keep-used",
            notice: undefined,
          }));
        } else if (leaving) {
          void session.leave(0);
        } else {
          session.notify({
            text:
              state.phase === "Refused"
                ? "taken back: nothing was written"
                : `cancelled: ${session.commandLine(["run", "resume", run])} goes on`,
            tone: "info",
          });
        }
      });
    }
  }
}
