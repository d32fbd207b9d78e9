import { describe, expect, it } from "vitest";
import { actionFor, actions, actionsOn } from "../../../src/screens/actions.ts";
import { helpLines } from "../../../src/screens/help-lines.ts";
import { paletteEntries } from "../../../src/screens/palette-entries.ts";
import type { Area } from "../../../src/state/place.ts";
import { open } from "./terminal.ts";

const screens: readonly Area[] = [
  "services",
  "service",
  "releases",
  "change",
  "delete",
  "orphans",
  "cleanup",
  "wizard",
  "runs",
  "run",
  "log",
  "rollback",
  "contexts",
];

describe("action table", () => {
  it("gives a key one meaning on a screen", () => {
    for (const screen of screens) {
      const own = actionsOn(screen).filter(({ on }) => on !== "everywhere");
      const meanings = new Map<string, string[]>();
      for (const { keys, id } of own) {
        for (const key of keys) meanings.set(key, [...(meanings.get(key) ?? []), id]);
      }
      const doubled = [...meanings].filter(([, ids]) => ids.length > 1);
      expect(doubled, screen).toEqual([]);
    }
  });

  it("has every id once", () => {
    const ids = actions.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("shows every action in the help of each of its screens", () => {
    for (const screen of screens) {
      const help = helpLines(screen)
        .map((line) => line.map(({ text }) => text).join(""))
        .join("\n");
      for (const { title } of actionsOn(screen)) expect(help, screen).toContain(title);
    }
  });

  it("offers every listed action in the palette", () => {
    const app = open();
    for (const { id, title, unlisted } of actionsOn("services")) {
      const entries = paletteEntries(
        { session: app.session, terminal: { suspend() {}, redraw() {} } },
        title,
      );
      const found = entries.some((entry) => entry.kind === "action" && entry.action.id === id);
      expect(found, id).toBe(unlisted !== true);
    }
    app.close();
  });

  it("means the keys of the product's table", () => {
    const meant = Object.fromEntries(
      [
        "n",
        "enter",
        "/",
        "s",
        "b",
        "r",
        "l",
        "d",
        "y",
        "j",
        "k",
        "g",
        "G",
        ":",
        "?",
        "q",
        "esc",
        "ctrl-c",
      ].map((key) => [key, actionFor(key, "services")?.id]),
    );
    expect(meant).toMatchObject({
      n: "service.new",
      enter: "service.open",
      b: "run.rollback",
      r: "run.retry",
      q: "leave",
      ":": "palette",
      "?": "help",
    });
    expect(Object.values(meant)).not.toContain(undefined);
  });
});
