import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { namespaceOf, serviceNameSchema } from "../../src/application/names.ts";
import { connect } from "../../src/cluster/connect.ts";
import { resources } from "../../src/cluster/resource.ts";
import { runCommands } from "../../src/commands/program.ts";
import { freshHome, type Home, openScreen } from "../terminal/terminal.ts";
import { memoryTerminal, noSandbox } from "../unit/commands/memory-terminal.ts";
import { skipped, testConnection, uniqueName } from "./connection.ts";
import { type Operated, openOperated } from "./guardrails/operated.ts";

const connection = testConnection();
if (connection === undefined) console.warn(skipped);

const enter = "\r";

/** With the shipped roles alone: the operator does the work. */
describe.skipIf(connection === undefined)("a developer at the app, on a real API server", () => {
  const service = serviceNameSchema.parse(uniqueName("dev"));
  let operated: Operated;
  let home: Home;
  let path: string;

  beforeAll(async () => {
    if (connection?.kind !== "kubeconfig" || connection.path === undefined) return;
    path = connection.path;
    [operated, home] = await Promise.all([openOperated(path), freshHome()]);
  }, 180_000);
  afterAll(async () => {
    await operated?.close([service]);
    await home?.remove();
  }, 120_000);

  test("the wizard ends with a finished service, and a roll back says who may do it", async () => {
    const screen = openScreen(home, ["--kubeconfig", path, "--context", "developer"], {
      columns: 80,
      rows: 24,
    });
    onTestFinished(() => screen.pty.kill("SIGKILL"));
    await screen.shows(/live *$/m);
    screen.type("n");
    await screen.shows("new service");
    screen.type(service);
    await screen.shows(`app-${service}`);
    screen.type(enter);
    // Of the teams one's own is offered first, whatever else the standards know.
    await screen.shows("● payments");
    screen.type("\x10");
    await screen.shows(/enter creates \S+ in \d+ steps/);
    screen.type(enter);
    await screen.shows("executes it");
    await screen.shows("✔ created", { withinMs: 120_000 });
    expect(screen.text()).toContain(`${service} is up`);

    screen.type("b");
    await screen.shows("roll back");
    await screen.shows("enter rolls back");
    expect(screen.text()).toContain(`app-${service}`);
    expect(screen.text()).not.toMatch(/Keeps +namespace/);
    screen.type(enter);
    await screen.shows(/on-call/);
    screen.type("\x1b");
    await screen.hides("enter rolls back");
    screen.type("\x1b");
    await screen.shows(/^ +SERVICE +READY/m);
    screen.type("q");
    expect(await screen.exit).toBe(0);
  });

  test("a secret of the service's own is set by who may read none, and the operator has the pods read it", async () => {
    const value = "kn0wn-v4lue-of-a-developer";
    const set = async (stdin: string) => {
      const terminal = memoryTerminal({ stdin });
      const words = ["secret", "set", service, "stripe", "--key", "STRIPE_KEY", "-o", "json"];
      const argv = ["--kubeconfig", path, "--context", "developer", ...words];
      const code = await runCommands(argv, { terminal, sandbox: noSandbox, version: "1.2.3" });
      expect(code, terminal.written.err).toBe(0);
      expect(terminal.written.out + terminal.written.err).not.toContain(value);
    };
    await set(value);
    await set(`${value}-2`);
    const admin = await connect({ kind: "kubeconfig", path, context: "admin" });
    const namespace = namespaceOf(service);
    const { spec } = await admin.get(resources.deployments, { namespace, name: service });
    expect(JSON.stringify(spec)).toContain(`${service}.stripe.stripe-key.2`);
    const { items } = await admin.list(resources.runs, { namespace: "platform-system" });
    expect(JSON.stringify(items)).not.toContain(value);
    const first = await admin.get(resources.secrets, { namespace, name: `${service}.stripe.stripe-key.1` });
    expect(first).toMatchObject({ data: { STRIPE_KEY: Buffer.from(value).toString("base64") } });
    await admin.close();
  });
});
