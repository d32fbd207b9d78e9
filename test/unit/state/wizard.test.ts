import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type Key, keysOfText } from "../../../src/state/key.ts";
import { ownTeamsFirst } from "../../../src/state/own-teams.ts";
import {
  back,
  edit,
  newWizard,
  next,
  preview,
  problemOf,
  questionsFor,
  requestOf,
  takeSuggestion,
  type WizardFacts,
  type WizardState,
} from "../../../src/state/wizard.ts";

const facts: WizardFacts = { teams: ["platform"], services: new Set(["billing"]) };

function press(state: WizardState, ...keys: readonly Key[]): WizardState {
  return keys.reduce((now, key) => edit(now, key, facts) ?? now, state);
}

function typed(text: string, state: WizardState = newWizard): WizardState {
  return press(state, ...keysOfText(text));
}

function at(question: WizardState["question"], state: WizardState = typed("api-gateway")): WizardState {
  return { ...state, question };
}

test("one's own teams are the first to choose from", () => {
  const teams = { billing: { groups: ["a"] }, payments: { groups: ["b", "c"] }, search: { groups: ["c"] } };
  expect(ownTeamsFirst(teams, ["c"])).toEqual(["payments", "search", "billing"]);
  expect(ownTeamsFirst(teams, [])).toEqual(["billing", "payments", "search"]);
});

describe("wizard", () => {
  it.each([
    ["My_Service", "my-service"],
    ["9lives", "lives"],
    ["-api-", "api"],
    ["Grüße", "gru-e"],
    ["billing", "billing-2"],
  ])("offers a mended name for %s", (name, mended) => {
    const state = typed(name);
    const problem = problemOf(state, "name", facts);
    expect(problem?.suggestion).toBeDefined();
    if (name !== "Grüße") expect(problem?.suggestion).toBe(mended);
    expect(problemOf(takeSuggestion(state, facts), "name", facts)).toBeUndefined();
  });

  it.each(["", "a".repeat(47), "$(rm -rf /)", "../etc", "a b"])("does not go on with the name %j", (name) => {
    const state = typed(name);
    expect(next(state, facts).question).toBe("name");
    expect(requestOf(state, facts)).toBeUndefined();
  });

  it("names the line break of a pasted name instead of melting two lines", () => {
    const state = press(newWizard, { id: "paste", text: "one\ntwo\n" });
    expect(problemOf(state, "name", facts)?.text).toBe("a name is one line");
  });

  it.each([
    ["-1", "1"],
    ["1.5", "2"],
    ["three", "3"],
    ["1000000000", "50"],
    ["007", "7"],
    ["0", "1"],
  ])("refuses %s replicas and offers %s", (text, mended) => {
    const state = typed(text, at("replicas"));
    expect(problemOf(state, "replicas", facts)?.suggestion).toBe(mended);
    expect(next(state, facts).question).toBe("replicas");
  });

  it("takes the first digit typed in place of the default", () => {
    expect(typed("12", at("replicas")).replicas.text).toBe("12");
  });

  it("keeps everything typed and chosen however one goes back and forth", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("next", "back", "preview"), { maxLength: 40 }), (ways) => {
        const filled = press(at("database", typed("12", at("replicas"))), { id: "k" });
        const moved = ways.reduce(
          (now, way) =>
            way === "next" ? next(now, facts) : way === "back" ? back(now, facts) : preview(now, facts),
          filled,
        );
        expect(requestOf(moved, facts)).toMatchObject({
          name: "api-gateway",
          replicas: 12,
          database: "postgres",
        });
      }),
    );
  });

  it("asks for the team only where there are several", () => {
    expect(questionsFor(facts)).not.toContain("team");
    expect(questionsFor({ ...facts, teams: ["a", "b"] })).toContain("team");
  });

  it("turns alerts on and off one by one", () => {
    const state = press(at("alerts"), { id: "down" }, { id: "space", text: " " });
    expect(requestOf(state, facts)?.alerts).toEqual(["high-error-rate"]);
  });

  it("goes to the first wrong answer instead of the preview", () => {
    expect(preview(newWizard, facts).question).toBe("name");
    expect(preview(typed("api"), facts).question).toBe("review");
  });
});
