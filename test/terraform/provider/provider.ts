import { fileURLToPath } from "node:url";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { z } from "zod";
import { type Cloud, CloudError } from "./cloud.ts";
import { providerConfiguration, secretVersion } from "./google-schema.ts";
import { decided, describeBlock, planned, replacedBy } from "./schema.ts";
import { fromJson, fromWire, isValues, textOf, toWire, type Value, type Values } from "./values.ts";

/** One call of Terraform to its provider. */
export interface Call {
  readonly rpc: string;
  /** The type of resource it is about; empty where it is about none. */
  readonly type: string;
  /** For `ApplyResourceChange`: what it does. */
  readonly action: "create" | "update" | "delete" | undefined;
}

/**
 * A failure that a test asks for: before anything is done; after it is done, with the answer lost; or after it is done,
 * with an error that leaves the resource in the state, tainted where it is new. `done`: no failure, only a wait.
 */
export interface Fault {
  readonly at: "before" | "after" | "half" | "done";
  readonly message: string;
  /** What is waited for between doing it and answering. */
  readonly until?: Promise<unknown>;
}

export interface ProviderOptions {
  readonly cloud: Cloud;
  /** Asked before each call is obeyed; may take its time. `stopped` aborts when Terraform asks the provider to stop. */
  readonly meanwhile?: (call: Call, stopped: AbortSignal) => Promise<Fault | undefined> | Fault | undefined;
}

/** A stand-in for Google's provider, for real Terraform to talk to. */
export interface Provider extends AsyncDisposable {
  /** For the environment of Terraform's process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Every call so far. */
  readonly calls: readonly Call[];
}

const value = z.object({ msgpack: z.instanceof(Uint8Array) }).nullish();
const request = z.object({
  type_name: z.string().default(""),
  config: value,
  prior_state: value,
  planned_state: value,
  proposed_new_state: value,
  current_state: value,
  raw_state: z.object({ json: z.instanceof(Uint8Array) }).nullish(),
  id: z.string().default(""),
});
type Request = z.output<typeof request>;

const fail = (message: string) => ({ diagnostics: [{ severity: "ERROR", summary: message, detail: "" }] });

function valuesIn(wire: z.output<typeof value>): Values | undefined {
  const found: Value = wire === null || wire === undefined ? null : fromWire(wire.msgpack);
  return isValues(found) ? found : undefined;
}

/** Starts the stand-in on loopback. */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const { cloud } = options;
  const calls: Call[] = [];
  let stopping = new AbortController();

  const answers: Readonly<Record<string, (asked: Request, call: Call) => object>> = {
    getProviderSchema: () => ({
      provider: { block: describeBlock(providerConfiguration) },
      resource_schemas: Object.fromEntries(
        Object.entries(cloud.kinds).map(([type, { block }]) => [type, { block: describeBlock(block) }]),
      ),
      ephemeral_resource_schemas: {
        google_secret_manager_secret_version: { block: describeBlock(secretVersion) },
      },
    }),
    validateProviderConfig: () => ({}),
    validateResourceConfig: () => ({}),
    validateEphemeralResourceConfig: () => ({}),
    closeEphemeralResource: () => ({}),
    configureProvider: () => {
      stopping = new AbortController();
      return {};
    },
    stopProvider: () => {
      stopping.abort();
      return {};
    },
    upgradeResourceState: ({ raw_state }) => ({
      upgraded_state: toWire(raw_state === null || raw_state === undefined ? null : fromJson(raw_state.json)),
    }),
    readResource: ({ type_name, current_state }) => {
      const state = valuesIn(current_state);
      if (state === undefined) return { new_state: toWire(null) };
      const kind = cloud.kind(type_name);
      const found = cloud.of(type_name).get(kind.key(state));
      if (found === undefined) return { new_state: toWire(null) };
      // What the cloud does not know stays as Terraform has it.
      const own = Object.fromEntries(notOfTheCloud.map((name) => [name, state[name] ?? null]));
      return { new_state: toWire({ ...found, ...only(found, own) }) };
    },
    planResourceChange: ({ type_name, prior_state, proposed_new_state }) => {
      const proposed = valuesIn(proposed_new_state);
      if (proposed === undefined) return { planned_state: toWire(null), legacy_type_system: true };
      const { block } = cloud.kind(type_name);
      const prior = valuesIn(prior_state);
      const after = planned(block, proposed, prior);
      return {
        planned_state: toWire(after),
        requires_replace: prior === undefined ? [] : replacedBy(block, prior, after),
        legacy_type_system: true,
      };
    },
    applyResourceChange: ({ type_name, prior_state, planned_state, config }, { action }) => {
      const kind = cloud.kind(type_name);
      const prior = valuesIn(prior_state);
      const wanted = valuesIn(planned_state);
      const all = cloud.of(type_name);
      if (action === "delete" && prior !== undefined) {
        if (prior.deletion_policy !== "ABANDON") {
          kind.remove(prior);
          all.delete(kind.key(prior));
        }
        return { new_state: toWire(null), legacy_type_system: true };
      }
      if (wanted === undefined) throw new CloudError("nothing is planned");
      const given = valuesIn(config) ?? {};
      if (prior === undefined) {
        if (all.has(kind.key(wanted))) {
          throw new CloudError(
            `Error creating ${type_name} ${kind.key(wanted)}: googleapi: Error 409: already exists, alreadyExists`,
          );
        }
        const made = kind.create(wanted, given);
        all.set(kind.key(made), made);
        return { new_state: toWire(made), legacy_type_system: true };
      }
      const changed = decided(kind.block, wanted, prior);
      kind.update(changed, given, prior);
      all.set(kind.key(changed), changed);
      return { new_state: toWire(changed), legacy_type_system: true };
    },
    importResourceState: ({ type_name, id }) => {
      const kind = cloud.kind(type_name);
      // Whether it is there, Terraform finds out by reading it.
      const nothing = Object.fromEntries(Object.keys(kind.block.attributes).map((name) => [name, null]));
      const blocks = Object.fromEntries(Object.keys(kind.block.blocks ?? {}).map((name) => [name, []]));
      return {
        imported_resources: [
          { type_name, state: toWire({ ...nothing, ...blocks, id, ...kind.fromId(id), ...kind.imported }) },
        ],
      };
    },
    openEphemeralResource: ({ config }) => {
      const asked = valuesIn(config) ?? {};
      const version = typeof asked.version === "string" ? asked.version : "latest";
      const project = typeof asked.project === "string" ? asked.project : cloud.project;
      const name = `projects/${project}/secrets/${textOf(asked, "secret")}/versions/${version}`;
      const secret = cloud.secrets.get(name);
      if (secret === undefined) throw new CloudError(`Error retrieving secret version: 404 ${name}`);
      return {
        result: toWire({
          ...asked,
          project,
          version,
          secret_data: secret,
          name,
          create_time: "2026-01-01T00:00:00Z",
          destroy_time: null,
          enabled: true,
        }),
      };
    },
  };

  const serve = async (rpc: string, raw: unknown): Promise<object> => {
    const asked = request.parse(raw);
    const call: Call = { rpc, type: asked.type_name, action: actionOf(rpc, asked) };
    calls.push(call);
    const fault = await options.meanwhile?.(call, stopping.signal);
    if (fault?.at === "before") return fail(fault.message);
    const answer = answers[`${rpc.charAt(0).toLowerCase()}${rpc.slice(1)}`];
    if (answer === undefined) return fail(`${rpc} is not part of the stand-in`);
    try {
      const done = answer(asked, call);
      if (fault === undefined) return done;
      await fault.until;
      if (fault.at === "done") return done;
      return fault.at === "half" ? { ...done, ...fail(fault.message) } : fail(fault.message);
    } catch (error) {
      if (error instanceof CloudError) return fail(error.message);
      return fail(`the stand-in failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  };

  const server = new Server();
  const definition = serviceIn(
    loadSync(fileURLToPath(new URL("protocol.proto", import.meta.url)), {
      keepCase: true,
      enums: String,
      longs: Number,
      oneofs: false,
    }),
  );
  server.addService(
    definition,
    Object.fromEntries(
      Object.keys(definition).map((rpc) => [
        rpc,
        (call: { readonly request: unknown }, answer: (error: Error | null, response?: object) => void) => {
          serve(rpc, call.request).then(
            (response) => answer(null, response),
            (error: unknown) => answer(error instanceof Error ? error : new Error(String(error))),
          );
        },
      ]),
    ),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    environment: {
      TF_REATTACH_PROVIDERS: JSON.stringify({
        "hashicorp/google": {
          Protocol: "grpc",
          ProtocolVersion: 6,
          Pid: process.pid,
          Test: true,
          Addr: { Network: "tcp", String: `127.0.0.1:${port}` },
        },
      }),
    },
    calls,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

/** What only Terraform's state has, of all types. */
const notOfTheCloud = ["clone", "deletion_protection", "deletion_policy", "password", "password_wo_version"];

function only(of: Values, values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in of));
}

function actionOf(rpc: string, asked: Request): Call["action"] {
  if (rpc !== "ApplyResourceChange") return undefined;
  if (valuesIn(asked.prior_state) === undefined) return "create";
  return valuesIn(asked.planned_state) === undefined ? "delete" : "update";
}

function serviceIn(definitions: PackageDefinition): ServiceDefinition {
  const found = definitions["tfplugin6.Provider"];
  if (found === undefined || "format" in found) throw new Error("the protocol has no service Provider");
  return found;
}
