import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { dashboard, service } from "./examples.ts";
import { type Opened, open } from "./terminal.ts";

let app: Opened | undefined;
afterEach(() => app?.close());

function wizard(): Opened {
  app = open();
  app.session.setUi((ui) => ({ ...ui, stack: [{ screen: "services" }, { screen: "wizard" }] }));
  return app;
}

describe("keys as a terminal sends them", () => {
  it("loses and doubles nothing of thirty keys in one burst", async () => {
    const { type, session } = wizard();
    await type("abcdefghijklmnopqrstuvwxyz0123");
    expect(session.ui().wizard.name.text).toBe("abcdefghijklmnopqrstuvwxyz0123");
    await type("\u007f".repeat(27));
    expect(session.ui().wizard.name.text).toBe("abc");
  });

  it("loses and doubles nothing however text, arrows and backspaces are cut into chunks", async () => {
    const keys = fc.array(fc.constantFrom("a", "b", "-", "7", "\u007f", "\u001b[D", "\u001b[C"), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 40 }), async (pressed, size) => {
        const { type, session, close } = wizard();
        for (let from = 0; from < pressed.length; from += size)
          await type(pressed.slice(from, from + size).join(""));
        let [text, cursor] = ["", 0];
        for (const key of pressed) {
          if (key === "\u007f") {
            if (cursor > 0) [text, cursor] = [text.slice(0, cursor - 1) + text.slice(cursor), cursor - 1];
          } else if (key === "\u001b[D") cursor = Math.max(0, cursor - 1);
          else if (key === "\u001b[C") cursor = Math.min(text.length, cursor + 1);
          else [text, cursor] = [text.slice(0, cursor) + key + text.slice(cursor), cursor + 1];
        }
        expect(session.ui().wizard.name).toEqual({ text, cursor });
        close();
      }),
      { numRuns: 25 },
    );
  });

  it("understands text and return in one chunk", async () => {
    const { type, session } = wizard();
    await type("api-gateway\r\r4\r");
    const { question, name, replicas } = session.ui().wizard;
    expect([question, name.text, replicas.text]).toEqual(["database", "api-gateway", "4"]);
  });

  it("takes a bracketed paste as text, never as keys", async () => {
    const { type, session } = wizard();
    await type("\u001b[200~api\rq\u001b[201~");
    expect(session.ui().wizard.name.text).toBe("api\nq");
    expect(session.ui().stack.at(-1)).toEqual({ screen: "wizard" });
  });

  it("takes escape and a key in one chunk as two keys", async () => {
    app = open();
    app.session.stores.fleet.setState({ status: "ready", services: dashboard });
    await app.type("\r");
    expect(app.session.ui().stack).toHaveLength(2);
    await app.type("\u001bn");
    expect(app.session.ui().stack.map(({ screen }) => screen)).toEqual(["services", "wizard"]);
  });

  it("moves the cursor once for each key held down", async () => {
    app = open();
    const services = Array.from({ length: 100 }, (_, index) =>
      service(`s-${String(index).padStart(3, "0")}`),
    );
    app.session.stores.fleet.setState({ status: "ready", services });
    await app.type("j".repeat(30));
    expect(await app.screen()).toContain("▌✔ s-030");
  });
});
