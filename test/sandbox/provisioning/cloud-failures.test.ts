import pLimit from "p-limit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ServiceName, serviceNameSchema } from "../../../src/application/names.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { recordedStores } from "../../../src/provisioning/data-stores/known-store.ts";
import { ProvisioningError } from "../../../src/provisioning/errors.ts";
import type { Provisioner } from "../../../src/provisioning/provisioner.ts";
import type { Execution, RunState } from "../../../src/provisioning/runs/run.ts";
import { all } from "../../crash/crash-test.ts";
import { type KillPoint, Mortal } from "../../crash/mortal.ts";
import { sampleOf, seeded, seedOfRun } from "../../crash/random.ts";
import { type CloudStage, cloudStage } from "../../provisioning/cloud-stage.ts";
import { impatient } from "../../provisioning/composition.ts";
import { named, whole, withDatabase } from "../../provisioning/telling.ts";
import type { Call, Fault } from "../../terraform/provider/provider.ts";
import { terraform } from "../../terraform/stage.ts";

function withCache(name: ServiceName) {
  return serviceRequestSchema.parse({ name, language: "go", replicas: 1, cache: "redis" });
}

const timeout = all ? 3_600_000 : 600_000;

describe.skipIf(terraform === undefined)("failures of what makes data stores", { timeout }, () => {
  let stage: CloudStage;
  beforeAll(async () => {
    stage = await cloudStage();
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    expect(await stage.passwordsTold()).toEqual([]);
  });

  const creations = [
    "google_sql_database_instance",
    "google_sql_database",
    "google_sql_user",
    "google_redis_instance",
  ];
  const times: readonly Fault["at"][] = ["before", "after", "half"];
  test.each(creations.flatMap((type) => times.map((at) => [type, at] as const)))(
    "a creation that fails at %s, %s, is rolled back with nothing left",
    async (type, at) => {
      const service = named("cloud-fail");
      const request = type === "google_redis_instance" ? withCache(service) : withDatabase(service);
      let failed = false;
      stage.meet((call: Call) => {
        if (failed || call.type !== type || call.action !== "create") return undefined;
        failed = true;
        return { at, message: "googleapi: Error 400: Invalid request: a test's fault., invalid" };
      });
      const execution = await stage.provisioner().create(request, { onFailure: "rollback" });
      const state = await execution.finished;
      expect(failed).toBe(true);
      expect(state.phase, JSON.stringify(state.steps.map(({ error }) => error))).toBe("RolledBack");
      expect(await stage.leftOf(service)).toEqual([]);
    },
  );

  test("a run that is cancelled while Google works stops in good order, and is gone on with or taken back", async () => {
    for (const verb of ["resume", "rollback"] as const) {
      const service = named("cloud-cancel");
      const asked = Promise.withResolvers<void>();
      const told = Promise.withResolvers<void>();
      let held = false;
      stage.meet((call: Call, stopped) => {
        if (held || call.type !== "google_sql_database_instance" || call.action !== "create")
          return undefined;
        held = true;
        asked.resolve();
        stopped.addEventListener("abort", () => told.resolve(), { once: true });
        // Google has made it when its provider is asked to stop.
        return { at: "half", message: "googleapi: operation was interrupted", until: told.promise };
      });
      const provisioner = stage.provisioner();
      const execution = await provisioner.create(withDatabase(service), { onFailure: "rollback" });
      await asked.promise;
      const stopped = await provisioner.cancel(execution.name);
      expect(stopped.phase).toBe("Interrupted");
      const next =
        verb === "resume"
          ? await provisioner.resume(execution.name, { onFailure: "hold" })
          : await provisioner.rollback(execution.name, { dataStores: "keep-used" });
      const state = await next.finished;
      expect(state.phase, JSON.stringify(state.steps.map(({ error }) => error))).toBe(
        verb === "resume" ? "Succeeded" : "RolledBack",
      );
      expect(await problemsOf(service)).toEqual([]);
    }
  });

  let engines = 0;
  /** Lives until the work is done, or until its engine dies at the write. */
  async function live(
    service: ServiceName,
    kill: KillPoint | undefined,
    begin: (provisioner: Provisioner) => Promise<Execution>,
  ) {
    engines += 1;
    const life = new Mortal(service, kill);
    const provisioner = stage.provisioner({
      holder: `engine${engines}@here:${engines}`,
      clock: life.clock(impatient),
      cluster: life.cluster(stage.cluster),
      codeHost: life.codeHost(stage.made.codeHost),
      cloud: life.cloud(stage.stores),
    });
    const end = begin(provisioner).then(({ finished }) => finished);
    const state = await Promise.race([life.died, end]);
    return { state, writes: life.writes };
  }

  const create = (service: ServiceName) => (provisioner: Provisioner) =>
    provisioner.create(whole(service), { onFailure: "hold" });
  const createDatabase = (service: ServiceName) => (provisioner: Provisioner) =>
    provisioner.create(withDatabase(service), { onFailure: "hold" });
  const remove = (service: ServiceName) => (provisioner: Provisioner) =>
    provisioner.delete(service, { dataStores: "delete", confirmed: service });

  /** Of all writes those that data stores outside of the cluster differ in; Terraform's before it, and after it. */
  const ofStores =
    /(secrets|configmaps) app-<service>|cloudsql|memorystore|(provision|delete_data|clone|switch)/;
  const byTerraform = /(cloudsql|memorystore)$/;
  const pointsOf = (writes: readonly (readonly string[])[]) =>
    writes
      .flatMap((names) => names.filter((name) => ofStores.test(name)).slice(0, 1))
      .flatMap((write, index): readonly KillPoint[] => {
        const [one, other] = [
          { write, time: "before" as const },
          { write, time: "after" as const },
        ];
        return byTerraform.test(write) ? [one, other] : [index % 2 === 0 ? one : other];
      });
  const seed = seedOfRun();
  /** Terraform's own, and a sample of those around them, where not all are asked for. */
  const chosenOf = (points: readonly KillPoint[]) => {
    const isOwn = ({ write }: KillPoint) => byTerraform.test(write);
    const around = points.filter((point) => !isOwn(point));
    return [...points.filter(isOwn), ...(all ? around : sampleOf(around, 4, seeded(seed)))];
  };

  async function newestRun(service: ServiceName) {
    const [newest] = await stage.provisioner().list({ service });
    if (newest === undefined) throw new Error(`there is no run of ${service}`);
    return newest;
  }

  const recordsOfStores = (service: ServiceName) =>
    recordedStores(stage.cluster, `app-${service}`, [`${service}-db`, `${service}-cache`]);

  /** What is there is as planned, and one instance of each alone; where there is none, nothing is left at all. */
  async function problemsOf(service: ServiceName): Promise<readonly string[]> {
    const recorded = await recordsOfStores(service);
    if (recorded.length === 0) return stage.leftOf(service);
    const work = { run: "test", signal: AbortSignal.timeout(60_000), log: () => {} };
    const problems = await Promise.all(
      recorded.map(async (store) => {
        const { name } = store.variables;
        const isCache = store.provider === "memorystore";
        const [{ changes }, { username = "", password = "" }] = await Promise.all([
          stage.stores.compare(store, work),
          stage.secret(service, isCache ? "cache" : "db"),
        ]);
        const opens = isCache
          ? stage.cloud.of("google_redis_instance").get(name)?.auth_string === password
          : stage.cloud.login(name, username, password);
        return [
          ...(changes ? [`${name} is not as planned`] : []),
          ...(opens ? [] : [`nobody can log in to ${name}`]),
        ];
      }),
    );
    const instances = stage.instances().filter((each) => each.startsWith(service.slice(0, 28)));
    const known = recorded.map(({ variables }) => variables.name);
    return [
      ...problems.flat(),
      ...(instances.sort().join() === known.sort().join() ? [] : [`instances: ${instances.join(", ")}`]),
    ];
  }

  /** Kills one service's engine at each point; every other one is taken back, where that is still possible. */
  async function suffer(
    prefix: string,
    points: readonly KillPoint[],
    prepare: (service: ServiceName) => Promise<unknown>,
    begin: (service: ServiceName) => (provisioner: Provisioner) => Promise<Execution>,
    look: (service: ServiceName) => Promise<readonly string[]> = problemsOf,
  ): Promise<readonly string[]> {
    const limit = pLimit(3);
    const all = await Promise.all(
      points.map((point, index) =>
        limit(async () => {
          const service = serviceNameSchema.parse(`${prefix}-${index}x`);
          await prepare(service);
          const { state } = await live(service, point, begin(service));
          const told = (problem: string) => `${point.time} ${point.write}: ${problem}`;
          const { name, phase: now } = await newestRun(service);
          if (state === undefined && now !== "Succeeded") {
            const back = Math.floor((index + 1) / 2) % 2 === 1;
            const recovered = await live(service, undefined, (provisioner) =>
              back
                ? provisioner
                    .rollback(name, { dataStores: "delete", confirmed: service })
                    .catch((error: unknown) => {
                      if (!(error instanceof ProvisioningError) || !error.message.includes("deleted data")) {
                        throw error;
                      }
                      return provisioner.resume(name, { onFailure: "hold" });
                    })
                : provisioner.resume(name, { onFailure: "hold" }),
            );
            const phase = recovered.state?.phase ?? "dead";
            if (phase !== "Succeeded" && phase !== "RolledBack") {
              return [
                told(`ended ${phase}: ${JSON.stringify(recovered.state?.steps.map(({ error }) => error))}`),
              ];
            }
          }
          return (await look(service)).map(told);
        }),
      ),
    );
    return all.flat();
  }

  const restore = (service: ServiceName) => (provisioner: Provisioner) =>
    provisioner.restore(
      service,
      { toTime: new Date().toISOString() },
      { onFailure: "hold", confirmed: service },
    );

  /** Which instance the service uses is what its records and its Secret say; what there is, is recorded and as planned. */
  async function problemsOfRestored(
    service: ServiceName,
    ended?: RunState["phase"],
  ): Promise<readonly string[]> {
    const namespace = `app-${service}`;
    const phase = ended ?? (await newestRun(service)).phase;
    const [recorded, secret] = await Promise.all([
      recordedStores(stage.cluster, namespace, [`${service}-db`]),
      stage.secret(service, "db"),
    ]);
    const [used] = recorded;
    if (used?.provider !== "cloudsql") return ["nothing is recorded"];
    const work = { run: "test", signal: AbortSignal.timeout(60_000), log: () => {} };
    const plans = await Promise.all(recorded.map((store) => stage.stores.compare(store, work)));
    const isNew = used.variables.clone !== null;
    const names = recorded.map(({ variables }) => variables.name).sort();
    const there = stage.instances().filter((each) => each.startsWith(service.slice(0, 28)));
    const { items } = await stage.cluster.list(resources.secrets, { namespace });
    const beside = items.filter(({ metadata }) => metadata.name.startsWith(`${service}-db-r`));
    return [
      ...(plans.some(({ changes }) => changes) ? ["not as planned"] : []),
      ...(isNew === (phase === "Succeeded") ? [] : [`${phase}, and uses the ${isNew ? "new" : "old"} one`]),
      ...(secret.host === (isNew ? "10.20.0.4" : "10.20.0.3") ? [] : ["its pods reach the other one"]),
      ...(recorded.length === (isNew ? 2 : 1) ? [] : [`${recorded.length} are recorded`]),
      ...(beside.length === (isNew ? 1 : 0) ? [] : [`${beside.length} secrets beside its own`]),
      ...(there.sort().join() === names.join()
        ? []
        : [`there are ${there.join()}, recorded ${names.join()}`]),
      ...(stage.cloud.login(used.variables.name, secret.username ?? "", secret.password ?? "")
        ? []
        : ["nobody can log in"]),
    ];
  }

  test.each(
    ["google_sql_database_instance", "google_sql_user"].flatMap((type) =>
      times.map((at) => [type, at] as const),
    ),
  )(
    "a restore to a moment that fails at %s, %s, is taken back, and the service is as it was",
    async (type, at) => {
      const service = named("cloud-refail");
      stage.meet(undefined);
      const made = await (await stage.provisioner().create(withDatabase(service), { onFailure: "hold" }))
        .finished;
      expect(made.phase, JSON.stringify(made.failure)).toBe("Succeeded");
      const before = await stage.secret(service, "db");
      let failed = false;
      stage.meet((call: Call) => {
        if (failed || call.type !== type || call.rpc !== "ApplyResourceChange") return undefined;
        failed = true;
        return { at, message: "googleapi: Error 400: Invalid request: a test's fault., invalid" };
      });
      const execution = await stage
        .provisioner()
        .restore(
          service,
          { toTime: new Date().toISOString() },
          { onFailure: "rollback", confirmed: service },
        );
      const state = await execution.finished;
      expect(failed).toBe(true);
      expect(state.phase, JSON.stringify(state.steps.map(({ error }) => error))).toBe("RolledBack");
      expect(await stage.secret(service, "db")).toEqual(before);
      expect(await problemsOfRestored(service)).toEqual([]);
    },
  );

  /** A call by what it is, and which of its kind it is within an operation. */
  interface Which {
    readonly kind: string;
    readonly index: number;
  }
  const kindOf = ({ rpc, type, action }: Call) => [rpc, type, action].filter(Boolean).join(" ");
  const fault = "googleapi: Error 400: Invalid request: a test's fault., invalid";

  /** Every call of an operation. */
  async function callsOf(operate: () => Promise<Execution>): Promise<readonly Which[]> {
    const from = stage.calls.length;
    stage.meet(undefined);
    const state = await (await operate()).finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    const seen = new Map<string, number>();
    return stage.calls.slice(from).map((call) => {
      const kind = kindOf(call);
      const index = seen.get(kind) ?? 0;
      seen.set(kind, index + 1);
      return { kind, index };
    });
  }

  /** The operation, with this one call refused; undefined where it was refused itself, before it had begun. */
  async function without({ kind, index }: Which, operate: () => Promise<Execution>) {
    let [met, failed] = [0, false];
    stage.meet((call: Call) => {
      if (kindOf(call) !== kind || met++ !== index) return undefined;
      failed = true;
      return { at: "before", message: fault };
    });
    const execution = await operate().catch((error: unknown) => {
      if (error instanceof ProvisioningError) return undefined;
      throw error;
    });
    const state = await execution?.finished;
    // Terraform may ask less often from one time to the next, never more seldom than once.
    if (index === 0) expect(failed, kind).toBe(true);
    stage.meet(undefined);
    return { state, failed };
  }

  /** Where not all are asked for: those that a test names, and some of the others. */
  const chosenCalls = (calls: readonly Which[], named = /^$/) => {
    if (all) return calls;
    const first = calls.filter(({ kind, index }) => index === 0 && named.test(kind));
    const others = calls.filter((call) => !first.includes(call));
    return [...first, ...sampleOf(others, 4, seeded(seed))];
  };

  test("a restore to a moment in which any call to the provider fails is taken back, and the service is as it was", async () => {
    const making = async () => {
      const service = named("cloud-call");
      const made = await stage.provisioner().create(withDatabase(service), { onFailure: "hold" });
      expect((await made.finished).phase).toBe("Succeeded");
      return service;
    };
    const asked = (service: ServiceName) => () =>
      stage
        .provisioner()
        .restore(
          service,
          { toTime: new Date().toISOString() },
          { onFailure: "rollback", confirmed: service },
        );
    stage.meet(undefined);
    const calls = await callsOf(asked(await making()));
    const kinds = calls.map(({ kind }) => kind);
    for (const type of ["google_sql_database", "google_sql_user"]) {
      expect(kinds).toContain(`ImportResourceState ${type}`);
      expect(kinds).toContain(`ReadResource ${type}`);
    }
    const problems: string[] = [];
    let service = await making();
    let before = await stage.secret(service, "db");
    for (const which of chosenCalls(calls, /^(Read|Import|Apply)Resource/)) {
      const { state, failed } = await without(which, asked(service));
      // Terraform did not ask so often this time: the restore is done.
      if (!failed) {
        service = await making();
        before = await stage.secret(service, "db");
        continue;
      }
      const told = `${which.kind} ${which.index}`;
      if (state !== undefined && state.phase !== "RolledBack") problems.push(`${told}: ${state.phase}`);
      if (JSON.stringify(await stage.secret(service, "db")) !== JSON.stringify(before))
        problems.push(`${told}: another Secret`);
      problems.push(...(await problemsOfRestored(service, "RolledBack")).map((each) => `${told}: ${each}`));
    }
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });

  test("a creation in which any call to the provider fails is rolled back, with nothing left that no pod was ready on", async () => {
    const asked = (service: ServiceName) => () =>
      stage.provisioner().create(whole(service), { onFailure: "rollback" });
    const calls = await callsOf(asked(named("cloud-model")));
    const problems: string[] = [];
    for (const which of chosenCalls(calls)) {
      const service = named("cloud-call");
      const { state, failed } = await without(which, asked(service));
      if (!failed) continue;
      const told = `${which.kind} ${which.index}`;
      if (state !== undefined && state.phase !== "RolledBack") problems.push(`${told}: ${state.phase}`);
      const { found } = await stage.provisioner().orphans.find({ service });
      problems.push(
        ...found.filter(({ state: is }) => is === "orphan").map(({ name }) => `${told}: ${name}`),
      );
      // Pods were ready on it when the last call failed, the proof that nothing is left to change: it is kept.
      const kept = state?.failure?.step === "verify" && (await recordsOfStores(service)).length > 0;
      if (kept) {
        const gone = stage.provisioner().delete(service, { dataStores: "delete", confirmed: service });
        expect((await (await gone).finished).phase).toBe("Succeeded");
      }
      problems.push(...(await stage.leftOf(service)).map((left) => `${told}: ${left}`));
    }
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });

  test("a removal in which any call to the provider fails is ended by a retry, with nothing left", async () => {
    const making = async () => {
      const service = named("cloud-call");
      stage.meet(undefined);
      const made = await stage.provisioner().create(whole(service), { onFailure: "hold" });
      expect((await made.finished).phase).toBe("Succeeded");
      return service;
    };
    const asked = (service: ServiceName) => () =>
      stage.provisioner().delete(service, { dataStores: "delete", confirmed: service });
    const calls = await callsOf(asked(await making()));
    const problems: string[] = [];
    for (const which of chosenCalls(calls)) {
      const service = await making();
      const { state } = await without(which, asked(service));
      const told = `${which.kind} ${which.index}`;
      const next =
        state === undefined
          ? await asked(service)()
          : state.phase === "Succeeded"
            ? undefined
            : await stage.provisioner().retry((await newestRun(service)).name, { onFailure: "hold" });
      const end = (await next?.finished)?.phase ?? state?.phase;
      if (end !== "Succeeded") problems.push(`${told}: ${end}`);
      problems.push(...(await stage.leftOf(service)).map((left) => `${told}: ${left}`));
    }
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });

  test("an engine that dies at any write of a restore to a moment leaves nothing that the next cannot end or take back", async () => {
    stage.meet(undefined);
    const model = named("cloud-model");
    const prepare = async (service: ServiceName) => {
      const { state } = await live(service, undefined, createDatabase(service));
      expect(state?.phase, JSON.stringify(state?.failure)).toBe("Succeeded");
    };
    await prepare(model);
    const { state, writes } = await live(model, undefined, restore(model));
    expect(state?.phase, JSON.stringify(state?.failure)).toBe("Succeeded");
    expect(await problemsOfRestored(model)).toEqual([]);
    const points = pointsOf(writes);
    expect(points.map(({ write }) => write)).toContain("make cloudsql");
    expect(points.length).toBeGreaterThan(12);
    const problems = await suffer("cwrestore", chosenOf(points), prepare, restore, problemsOfRestored);
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });

  test("an engine that dies at any write of a creation leaves nothing that the next cannot end or take back", async () => {
    const model = named("cloud-model");
    const { state, writes } = await live(model, undefined, create(model));
    expect(state?.phase, JSON.stringify(state?.failure)).toBe("Succeeded");
    const points = pointsOf(writes);
    const killed = points.map(({ write }) => write);
    expect(killed).toEqual(expect.arrayContaining(["make cloudsql", "make memorystore"]));
    expect(points.length).toBeGreaterThan(8);
    const problems = await suffer("cwcreate", chosenOf(points), async () => {}, create);
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
  });

  test("an engine that dies at any write of a removal leaves nothing that the next cannot end", async () => {
    const model = named("cloud-model");
    const prepare = async (service: ServiceName) => {
      const { state } = await live(service, undefined, create(service));
      expect(state?.phase, JSON.stringify(state?.failure)).toBe("Succeeded");
    };
    await prepare(model);
    const { state, writes } = await live(model, undefined, remove(model));
    expect(state?.phase, JSON.stringify(state?.failure)).toBe("Succeeded");
    const points = pointsOf(writes);
    const killed = points.map(({ write }) => write);
    expect(killed).toEqual(expect.arrayContaining(["remove cloudsql", "remove memorystore"]));
    const problems = await suffer("cwremove", chosenOf(points), prepare, remove);
    expect(problems, `PLATFORM_CRASH_SEED=${seed}`).toEqual([]);
    const left = await stage.cluster.list(resources.configMaps, {});
    expect(left.items.filter(({ metadata }) => metadata.name.startsWith(model))).toEqual([]);
  });
});
