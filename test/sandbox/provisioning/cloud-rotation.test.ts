import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { applicationOf } from "../../../src/application/from-request.ts";
import type { ServiceName } from "../../../src/application/names.ts";
import { applicationSpecSchema } from "../../../src/application/schema.ts";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { ClusterError } from "../../../src/cluster/errors.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { recordedStores } from "../../../src/provisioning/data-stores/known-store.ts";
import { storesThatTurn } from "../../../src/provisioning/data-stores/turns.ts";
import type { Provisioner } from "../../../src/provisioning/provisioner.ts";
import type { Execution, RunState } from "../../../src/provisioning/runs/run.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { type KillPoint, Mortal } from "../../crash/mortal.ts";
import { type CloudStage, cloudStage, cloudStandards } from "../../provisioning/cloud-stage.ts";
import { impatient } from "../../provisioning/composition.ts";
import { faulty, forwarding } from "../../provisioning/fault.ts";
import { named, whole, withDatabase } from "../../provisioning/telling.ts";
import { terraform } from "../../terraform/stage.ts";

/**
 * Rotations of databases at Cloud SQL, as runs: what they do in the database is proven on a real server, in
 * `test/sandbox/data-stores/cloud-rotation.test.ts`. Here their Jobs are complete because their time has come.
 */
describe.skipIf(terraform === undefined)("rotations at Cloud SQL", { timeout: 600_000 }, () => {
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

  async function succeeded(begun: Promise<Execution>): Promise<RunState> {
    const state = await (await begun).finished;
    expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
    return state;
  }
  const create = (service: ServiceName) =>
    succeeded(stage.provisioner().create(withDatabase(service), { onFailure: "hold" }));
  const rotate = (service: ServiceName, provisioner = stage.provisioner()) =>
    provisioner.rotate(service, "database", { onFailure: "hold" });

  /** What a rotation makes for its own time. */
  async function passing(service: ServiceName): Promise<readonly string[]> {
    const lists = await Promise.all(
      [resources.jobs, resources.networkPolicies, resources.secrets].map((resource) =>
        stage.cluster.list(resource, { namespace: `app-${service}` }),
      ),
    );
    return lists
      .flatMap(({ items }) => items.map(({ metadata }) => metadata.name))
      .filter((name) => /-(enable|prove|revoke|next)$/.test(name));
  }

  /** Whether Terraform would change anything. */
  async function planned(service: ServiceName): Promise<boolean> {
    const [recorded] = await recordedStores(stage.cluster, `app-${service}`, [`${service}-db`]);
    if (recorded === undefined) throw new Error("there is no database");
    const work = { run: "test", signal: AbortSignal.timeout(60_000), log: () => {} };
    return !(await stage.stores.compare(recorded, work)).changes;
  }

  test("the other login takes its turn, Terraform has nothing to change, and what is kept keeps its login", async () => {
    const service = named("cloud-turn");
    await create(service);
    const before = await stage.secret(service, "db");
    await succeeded(rotate(service));
    const after = await stage.secret(service, "db");
    expect(after).toEqual({
      ...before,
      username: `${before.username}_2`,
      password: expect.not.stringMatching(before.password ?? ""),
      uri: before.uri
        ?.replace(`${before.username}:`, `${after.username}:`)
        .replace(before.password ?? "", after.password ?? ""),
    });
    expect(await passing(service)).toEqual([]);
    expect(await planned(service)).toBe(true);

    // A service that is made again on what was kept of it has the login whose turn it is.
    await succeeded(stage.provisioner().delete(service, { dataStores: "keep" }));
    await create(service);
    expect(await stage.secret(service, "db")).toEqual(after);
    expect(await planned(service)).toBe(true);
    await succeeded(rotate(service));
    const again = await stage.secret(service, "db");
    expect(again.username).toBe(before.username);
    expect(await planned(service)).toBe(true);

    const passwords = [before, after, again].map(({ password = "none" }) => password);
    expect(new Set(passwords).size).toBe(3);
    expect(await stage.passwordsTold(passwords)).toEqual([]);

    await succeeded(stage.provisioner().delete(service, { dataStores: "delete", confirmed: service }));
    expect(await stage.leftOf(service)).toEqual([]);
  });

  test("a rotation that fails at any step before the last goes back to the login that was", async () => {
    const service = named("cloud-turnback");
    await create(service);
    const before = await stage.secret(service, "db");
    for (const [step, write] of [
      ["enable_credentials", 1],
      ["enable_credentials", 3],
      ["switch_credentials", 1],
      ["switch_credentials", 2],
      ["prove_credentials", 2],
    ] as const) {
      const broken = stage.provisioner({
        cluster: faulty(stage.cluster, { step, write, time: "before", times: 1 }),
      });
      const failed = await (await broken.rotate(service, "database", { onFailure: "rollback" })).finished;
      expect([step, failed.phase, failed.failure?.step]).toEqual([step, "RolledBack", step]);
      expect(await stage.secret(service, "db")).toEqual(before);
      expect(await passing(service)).toEqual([]);
    }
    expect(await planned(service)).toBe(true);
    await succeeded(stage.provisioner().delete(service, { dataStores: "delete", confirmed: service }));
  });

  test("an engine that dies at any write of a rotation leaves nothing that the next cannot end or take back", async () => {
    let engines = 0;
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
      return { state: await Promise.race([life.died, end]), writes: life.writes };
    }
    const service = named("cloud-turndead");
    await create(service);
    const model = await live(service, undefined, (provisioner) => rotate(service, provisioner));
    expect(model.state?.phase, JSON.stringify(model.state?.failure)).toBe("Succeeded");
    const ofTurns =
      /(secrets|deployments) app-<service>|create jobs|Step\w+ \w+_credentials$|EffectsIntended revoke_credentials$/;
    const forgetting = /delete secrets|EffectsIntended revoke/;
    const points = model.writes
      .flatMap((names) => names.filter((name) => ofTurns.test(name)).slice(0, 1))
      .flatMap((write, index): readonly KillPoint[] => {
        const [one, other] = [
          { write, time: "before" as const },
          { write, time: "after" as const },
        ];
        return forgetting.test(write) ? [one, other] : [index % 2 === 0 ? one : other];
      });
    expect(points.length).toBeGreaterThan(10);

    const problems: string[] = [];
    for (const [index, point] of points.entries()) {
      const told = (problem: string) => problems.push(`${point.time} ${point.write}: ${problem}`);
      const before = await stage.secret(service, "db");
      const newestBefore = (await stage.provisioner().list({ service }))[0]?.name;
      const { state } = await live(service, point, (provisioner) => rotate(service, provisioner));
      const [newest] = await stage.provisioner().list({ service });
      // A run that was never written down has done nothing.
      const begun = newest !== undefined && newest.name !== newestBefore ? newest : undefined;
      let phase: string = state?.phase ?? begun?.phase ?? "none";
      if (begun !== undefined && phase !== "Succeeded") {
        const provisioner = stage.provisioner();
        const resume = () => provisioner.resume(begun.name, { onFailure: "hold" });
        // Every other one is taken back, where that is still possible.
        const next =
          Math.floor(index / 2) % 2 === 1 || forgetting.test(point.write)
            ? await provisioner.rollback(begun.name, { dataStores: "keep" }).catch((error: unknown) => {
                if (!String(error).includes("taken the old password away")) throw error;
                return resume();
              })
            : await resume();
        phase = (await next.finished).phase;
      }
      if (phase === "RollbackFailed" && point.write.startsWith("delete secrets")) {
        // Nobody knows the old password any more: another rotation ends what was begun.
        phase = (await succeeded(rotate(service))).phase;
        if ((await stage.secret(service, "db")).password === before.password) told("not given another");
        continue;
      }
      const after = await stage.secret(service, "db");
      const turned = after.username !== before.username && after.password !== before.password;
      const same = JSON.stringify(after) === JSON.stringify(before);
      if (phase === "Succeeded" ? !turned : !(same && (phase === "RolledBack" || phase === "none")))
        told(phase);
      const left = await passing(service);
      if (left.length > 0) told(`${left.join(", ")} left`);
    }
    expect(problems).toEqual([]);
    expect(await planned(service)).toBe(true);
    await succeeded(stage.provisioner().delete(service, { dataStores: "delete", confirmed: service }));
  });

  test("what Google alone can change is refused with its command and what it costs, and nothing is written", async () => {
    const newer = standardsSchema.parse({
      ...cloudStandards,
      database: { ...cloudStandards.database, cloudsql: { version: "POSTGRES_17" } },
    });
    const service = named("cloud-noturn");
    const provisioner = stage.provisioner({ standards: newer });
    await succeeded(provisioner.create(whole(service), { onFailure: "hold" }));
    const runs = (await provisioner.list({ service })).length;
    await expect(provisioner.rotate(service, "cache", {})).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("makes its one password itself"),
      mend: expect.stringMatching(
        new RegExp(`^gcloud redis instances update ${service}-.* --no-enable-auth.*needs no password`),
      ),
    });
    await expect(provisioner.rotate(service, "database", {})).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("PostgreSQL 17 at Cloud SQL"),
      mend: expect.stringMatching(/^gcloud sql users set-password app_.* nobody new gets in/),
    });
    expect((await provisioner.list({ service })).length).toBe(runs);
    expect(await rotating(service)).toEqual([]);
    await succeeded(provisioner.delete(service, { dataStores: "delete", confirmed: service }));
  });

  test("a list says what rotates, by the version of what is at Google", async () => {
    const service = named("cloud-told");
    await succeeded(stage.provisioner().create(whole(service), { onFailure: "hold" }));
    expect(await rotating(service)).toEqual(["database"]);
    const ref = { namespace: `app-${service}`, name: `${service}-db` };
    const { data } = await stage.cluster.get(resources.configMaps, ref);
    const say = (variables: unknown) =>
      stage.cluster.patch(resources.configMaps, ref, { type: "merge", body: { data: { variables } } });
    // Nobody may look, or somebody has written something else.
    const closed: Cluster = {
      ...forwarding(stage.cluster),
      get: () => Promise.reject(new ClusterError("forbidden", "no")),
    };
    expect(await rotating(service, closed)).toEqual(["database"]);
    await say("nothing");
    expect(await rotating(service)).toEqual([]);
    await say(Object(data).variables);
    await succeeded(stage.provisioner().delete(service, { dataStores: "delete", confirmed: service }));
  });

  async function rotating(service: ServiceName, cluster = stage.cluster) {
    const object = await stage.cluster.get(resources.applications, {
      namespace: `app-${service}`,
      name: service,
    });
    return storesThatTurn(cluster, applicationOf(service, applicationSpecSchema.parse(object.spec)));
  }
});
