import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serviceChangeSchema } from "../../../src/application/change.ts";
import {
  type ChangeForm,
  type ChangeKind,
  changeWords,
  draftOfForm,
  editForm,
  formOf,
  formProblem,
  takesDataStore,
} from "../../../src/state/change.ts";
import type { Key } from "../../../src/state/key.ts";
import { spec } from "../screens/examples.ts";

const typed = (text: string): readonly Key[] =>
  [...text].map((character) => ({ id: character, text: character }));

const pressed = (form: ChangeForm, keys: readonly Key[]) =>
  keys.reduce((now, key) => editForm(now, key) ?? now, form);

const digest = `registry.example/checkout@sha256:${"a".repeat(64)}`;

describe("form of a change", () => {
  it("asks for nothing as long as nothing differs", () => {
    for (const kind of ["scale", "deploy", "set"] as const) {
      const form = formOf(kind, "checkout", spec);
      expect(formProblem(form)?.text).toBe("nothing is changed yet");
      expect(draftOfForm(form)).toBeUndefined();
    }
  });

  it("takes the place of the value that is there with the first character, and edits it with an arrow", () => {
    const scale = formOf("scale", "checkout", spec);
    expect(draftOfForm(pressed(scale, typed("12")))).toEqual({ operation: "scale", replicas: 12 });
    expect(draftOfForm(pressed(scale, [{ id: "end" }, ...typed("0")]))).toEqual({
      operation: "scale",
      replicas: 30,
    });
    expect(draftOfForm(pressed(scale, [{ id: "up" }]))).toEqual({ operation: "scale", replicas: 4 });
  });

  it("says the same as the command it shows", () => {
    const deploy = pressed(formOf("deploy", "checkout", spec), [
      ...typed(digest),
      { id: "down" },
      ...typed("3f2c1a9"),
    ]);
    expect(draftOfForm(deploy)).toEqual({ operation: "deploy", image: digest, commit: "3f2c1a9" });
    expect(changeWords(deploy, "keep")).toEqual([
      ...["service", "deploy", "checkout", "--image", digest, "--commit", "3f2c1a9"],
    ]);
    const down = { id: "down" };
    const space = { id: "space", text: " " };
    const set = pressed(formOf("set", "checkout", spec), [
      ...[down, ...typed("1Gi"), down, down, ...typed("2Gi")],
      ...[down, space, down, space, down, space],
    ]);
    expect(draftOfForm(set)).toEqual({
      operation: "set",
      requests: { memory: "1Gi" },
      limits: { memory: "2Gi" },
      alerts: [],
      database: "none",
    });
    expect(takesDataStore(set)).toBe(true);
    expect(changeWords(set, "keep").join(" ")).toBe(
      "service set checkout --requests memory=1Gi --limits memory=2Gi --alerts none --database none --data-stores keep",
    );
  });

  it("has a problem with whatever the border would refuse, and with nothing else", () => {
    const keys = fc.array(
      fc.oneof(
        fc.constantFrom("up", "down", "tab", "backspace", "left", "right", "end").map((id) => ({ id })),
        fc.constant({ id: "space", text: " " }),
        fc.constantFrom(..."0159.-mMiGx@:").map((character) => ({ id: character, text: character })),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(fc.constantFrom<ChangeKind>("scale", "deploy", "set"), keys, (kind, strokes) => {
        const form = pressed(formOf(kind, "checkout", spec), strokes);
        const draft = draftOfForm(form);
        expect(draft === undefined).toBe(formProblem(form) !== undefined);
        if (draft !== undefined) expect(serviceChangeSchema.safeParse(draft).error).toBeUndefined();
      }),
    );
  });
});
