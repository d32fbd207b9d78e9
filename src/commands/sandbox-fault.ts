import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { openTransport } from "../cluster/connect.ts";
import type { Transport } from "../cluster/transport.ts";
import { type StepId, stepIds } from "../provisioning/plan.ts";
import type { Bind } from "./action.ts";
import { exitCodes } from "./exit-code.ts";
import { usageFailure } from "./failure.ts";
import { listOutput, milliseconds } from "./options.ts";
import { listFormats, writeDocument } from "./output/format.ts";
import { table } from "./output/table.ts";
import type { Session } from "./session.ts";

/** A fault as the sandbox lists it; what this program does not print passes through. */
const faultSchema = z.looseObject({
  id: z.number(),
  kind: z.string(),
  when: z.record(z.string(), z.unknown()).default({}),
  times: z.number().optional(),
  until: z.string().optional(),
});
type Fault = z.output<typeof faultSchema>;
const faultsSchema = z.looseObject({ faults: z.array(faultSchema) });

const addSchema = z.object({
  refuse: z.string().or(z.boolean()).optional(),
  status: z.number().optional(),
  delay: z.number().optional(),
  half: z.boolean().optional(),
  gone: z.number().optional(),
  dropWatch: z.boolean().optional(),
  forbid: z.boolean().optional(),
  step: z.string().optional(),
  resource: z.string().optional(),
  verb: z.array(z.string()).optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  times: z.number().optional(),
  for: z.number().optional(),
});

/** Steps that only read from the cluster (two of them write to Git): a fault of theirs hits reads. */
const readingSteps: ReadonlySet<string> = new Set<StepId>(["generate_manifests", "configure_cicd", "verify"]);

/** `platform sandbox fault add|list|clear`. */
export function addSandboxFault(sandbox: Command, bind: Bind): void {
  const fault = sandbox
    .command("fault")
    .description("make the sandbox fail on purpose, to see what happens to a run");
  bind(
    fault
      .command("add")
      .description("inject a fault; it stays until its --times or --for are over")
      .addOption(new Option("--refuse [message]", "refuse writes as an admission policy does, write nothing"))
      .addOption(
        new Option("--status <code>", "refuse with this HTTP status, such as 500 or 429").argParser(status),
      )
      .addOption(
        new Option("--delay <duration>", "let requests wait, such as 500ms or 5s").argParser(milliseconds),
      )
      .addOption(new Option("--half", "store the write, lose the answer"))
      .addOption(new Option("--gone <duration>", "no server at all for this time").argParser(milliseconds))
      .addOption(new Option("--drop-watch", "cut all watches once"))
      .addOption(new Option("--forbid", "refuse for lack of rights"))
      .addOption(
        new Option("--step <step>", "only what this step of a run asks of the cluster").choices(stepIds),
      )
      .addOption(new Option("--resource <plural>", "only this resource, such as statefulsets.apps"))
      .addOption(new Option("--verb <verb...>", "only these verbs, such as create or patch"))
      .addOption(new Option("--namespace <name>", "only in this namespace; * matches anything"))
      .addOption(new Option("--name <name>", "only objects of this name; * matches anything"))
      .addOption(new Option("--times <number>", "this many requests only").argParser(count))
      .addOption(new Option("--for <duration>", "for this time only").argParser(milliseconds))
      .addHelpText(
        "after",
        `
Examples:
  platform sandbox fault add --step configure_cicd --refuse "the disk is full"
  platform sandbox fault add --delay 2s --for 1m
  platform sandbox fault clear`,
      ),
    async (session, _args, raw) => {
      const body = faultOf(addSchema.parse(raw));
      return withFaults(session, async (transport) => {
        const { body: answer } = await transport.send({
          method: "POST",
          path: "/sandbox/faults",
          body,
          text: "add a fault",
          idempotent: false,
        });
        const added = faultSchema.parse(answer);
        session.terminal.out.write(`fault ${added.id} added: ${describe(added)}\n`);
        return exitCodes.done;
      });
    },
  );
  bind(
    fault.command("list").alias("ls").description("list faults that may still hit").addOption(listOutput()),
    async (session, _args, raw) => {
      const { output } = z.object({ output: z.enum(listFormats) }).parse(raw);
      return withFaults(session, async (transport) => {
        const { body } = await transport.send({
          method: "GET",
          path: "/sandbox/faults",
          text: "list faults",
          idempotent: true,
        });
        const { faults } = faultsSchema.parse(body);
        const { out, err } = session.terminal;
        if (output === "json" || output === "yaml")
          await writeDocument(out, output, "faults", { items: faults });
        else if (output === "name") for (const { id } of faults) out.write(`fault/${id}\n`);
        else if (faults.length === 0) err.write("no faults\n");
        else out.write(table(columns, faults));
        return exitCodes.done;
      });
    },
  );
  bind(
    fault
      .command("clear")
      .description("remove one fault, or all")
      .argument("[id]", "the fault's number, as list shows it"),
    async (session, args) => {
      const id = args[0];
      if (id !== undefined && !/^\d+$/.test(id))
        throw usageFailure(`${JSON.stringify(id)} is not a fault's number`);
      return withFaults(session, async (transport) => {
        const { body } = await transport.send({
          method: "DELETE",
          path: id === undefined ? "/sandbox/faults" : `/sandbox/faults/${id}`,
          text: "remove faults",
          idempotent: false,
        });
        const { removed } = z.looseObject({ removed: z.number() }).parse(body);
        session.terminal.out.write(`${removed} removed\n`);
        return exitCodes.done;
      });
    },
  );
}

const columns = [
  { title: "ID", align: "right", value: ({ id }: Fault) => String(id) },
  { title: "FAULT", value: ({ kind }: Fault) => kind },
  { title: "WHEN", value: ({ when }: Fault) => whenText(when) },
  {
    title: "TIMES LEFT",
    align: "right",
    value: ({ times }: Fault) => (times === undefined ? "–" : String(times)),
  },
  { title: "UNTIL", value: ({ until }: Fault) => until ?? "–" },
] as const;

function whenText(when: Fault["when"]): string {
  const parts = Object.entries(when).map(([key, value]) => `${key}=${String(value)}`);
  return parts.length === 0 ? "any request" : parts.join(" ");
}

function describe({ kind, when }: Fault): string {
  return `${kind}, ${whenText(when)}`;
}

/** The body of `POST /sandbox/faults`. @throws CommandFailure (2) unless exactly one kind is asked for */
function faultOf(options: z.output<typeof addSchema>): Record<string, unknown> {
  const kinds: Record<string, unknown>[] = [];
  if (options.refuse !== undefined || options.status !== undefined) kinds.push(refusal(options));
  if (options.delay !== undefined) kinds.push({ kind: "delay", ms: options.delay });
  if (options.half === true) kinds.push({ kind: "half-apply" });
  if (options.gone !== undefined) kinds.push({ kind: "down", forMs: options.gone });
  if (options.dropWatch === true) kinds.push({ kind: "drop-watches" });
  if (options.forbid === true) kinds.push({ kind: "forbid" });
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    throw usageFailure("say one of --refuse, --delay, --half, --gone, --drop-watch and --forbid", {
      next: ["platform sandbox fault add --help"],
    });
  }
  const when = {
    step: options.step,
    resource: options.resource,
    verbs: options.verb ?? (readingSteps.has(options.step ?? "") ? ["get", "list"] : undefined),
    namespace: options.namespace,
    name: options.name,
  };
  return { forMs: options.for, ...kind, times: options.times, when };
}

/** Without a status: as an admission policy says no, which no retry mends. */
function refusal({ refuse, status }: z.output<typeof addSchema>): Record<string, unknown> {
  const message = typeof refuse === "string" ? refuse : "refused by an injected fault";
  return status === undefined
    ? {
        kind: "refuse",
        status: 403,
        reason: "Forbidden",
        message: `the sandbox denied the request: ${message}`,
      }
    : { kind: "refuse", status, reason: "InjectedFault", message };
}

function status(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 400 || value > 599) {
    throw new InvalidArgumentError("It is a number from 400 to 599.");
  }
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000)
    throw new InvalidArgumentError("It is a whole number from 1.");
  return value;
}

async function withFaults<T>(session: Session, work: (transport: Transport) => Promise<T>): Promise<T> {
  const opened = await session.sandbox.open({});
  const transport = await openTransport({
    kind: "endpoint",
    url: opened.url,
    token: opened.token,
    socketPath: opened.socketPath,
    context: "sandbox",
    simulated: true,
  });
  try {
    return await work(transport);
  } finally {
    await transport.close();
    await opened.close();
  }
}
