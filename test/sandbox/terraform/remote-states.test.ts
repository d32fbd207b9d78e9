import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemNamespace } from "../../../src/application/names.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { type BucketPlace, bucketTakesStates } from "../../../src/terraform/bucket-check.ts";
import { clusterHolders, nearAndFar, podUidIn } from "../../../src/terraform/cluster-holders.ts";
import { ensureDataStore, planOfDataStore, removeDataStore } from "../../../src/terraform/data-store.ts";
import { terraformEnvironment } from "../../../src/terraform/environment.ts";
import { isTerraformError } from "../../../src/terraform/error.ts";
import { lookAtProcesses } from "../../../src/terraform/holder.ts";
import { holderFile } from "../../../src/terraform/holder-file.ts";
import { cloudStage } from "../../provisioning/cloud-stage.ts";
import { named, whole } from "../../provisioning/telling.ts";
import type { Bucket } from "../../terraform/buckets/bucket.ts";
import { startGcs } from "../../terraform/buckets/gcs.ts";
import { startS3 } from "../../terraform/buckets/s3.ts";
import { holdTheAnswer, killTerraform } from "../../terraform/interruption.ts";
import { database, password, type Stage, setStage, terraform, workspace } from "../../terraform/stage.ts";
import { embedded } from "../embedded.ts";

type Pod = NonNullable<Parameters<Stage["sql"]>[0]>["pod"];

const wanted = { variables: database(), hidden: { password } };
const prefix = `platform/${workspace}`;
const kinds = [
  { kind: "gcs", start: startGcs, state: `${prefix}/default.tfstate`, lock: `${prefix}/default.tflock` },
  {
    kind: "s3",
    start: startS3,
    state: `${prefix}/terraform.tfstate`,
    lock: `${prefix}/terraform.tfstate.tflock`,
  },
] as const;

/** This program's environment, with nothing of whoever runs the tests. */
const environmentOf = (credentials: Readonly<Record<string, string>>) => ({
  PATH: process.env.PATH,
  HOME: "/is/not/there",
  ...credentials,
});

/** Where no credentials are, where they are wrong, where the bucket is not there, and where one may not write. */
const failures = [
  {
    what: "without credentials",
    problem: "credentials",
    class: "rights",
    says: /credential/,
    credentials: () => ({}),
  },
  {
    what: "with wrong credentials",
    problem: "credentials",
    class: "rights",
    says: /Invalid Credentials|security token .* is invalid/,
    credentials: () => ({
      GOOGLE_OAUTH_ACCESS_TOKEN: "another",
      AWS_ACCESS_KEY_ID: "ANOTHER",
      AWS_SECRET_ACCESS_KEY: "another",
    }),
  },
  {
    what: "in a bucket that is not there",
    problem: "invalid",
    class: "invalid",
    says: /does(n't| not) exist/,
    place: { bucket: "another-bucket" },
  },
  {
    what: "without the right to write",
    problem: "credentials",
    class: "rights",
    says: /403/,
    meanwhile: () => "refused",
  },
] as const satisfies readonly {
  readonly what: string;
  readonly problem: string;
  readonly class: string;
  readonly says: RegExp;
  readonly credentials?: () => Readonly<Record<string, string>>;
  readonly place?: { readonly bucket: string };
  readonly meanwhile?: () => "refused";
}[];

describe.skipIf(terraform === undefined).each(kinds)(
  "a state in $kind",
  { timeout: 240_000 },
  ({ kind, start, state, lock }) => {
    const cluster = embedded();
    const holders = () => clusterHolders(cluster(), systemNamespace, workspace);
    beforeAll(async () => {
      await cluster().create(resources.namespaces, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: systemNamespace },
      });
    });
    beforeEach(() => holders().write([], "end"));

    const stageAt = (bucket: Bucket) =>
      setStage(bucket.place, environmentOf(bucket.credentials), bucket.endpoint);

    /** The database's workspace in a folder of a machine, which knows of others only what the cluster tells. */
    const on = (
      stage: Stage,
      machine: string,
      { pod, folder = machine }: { readonly pod?: Pod; readonly folder?: string } = {},
    ) =>
      stage.sql({
        root: join(stage.root, folder),
        holders: (folder) => nearAndFar(holderFile(folder), holders()),
        look: { ...lookAtProcesses(podUidIn(cluster())), machine: async () => machine },
        ...(pod === undefined ? {} : { pod }),
      });

    /** Begins to make a database; its instance is made, and Terraform has not been told. */
    async function inTheMiddle(stage: Stage, sql: Awaited<ReturnType<Stage["sql"]>>) {
      const { made, answer } = holdTheAnswer(stage);
      const end = ensureDataStore(sql, wanted).catch((error: unknown) => error);
      await made;
      return { end, answer };
    }

    async function killedInTheMiddle(stage: Stage, sql: Awaited<ReturnType<Stage["sql"]>>): Promise<void> {
      const { end, answer } = await inTheMiddle(stage, sql);
      await killTerraform(sql);
      expect(isTerraformError(await end, "died")).toBe(true);
      answer();
    }

    async function oneInstance(stage: Stage): Promise<void> {
      expect(await planOfDataStore(await on(stage, "a third"), wanted)).toMatchObject({
        changes: false,
        drift: [],
      });
      expect([...stage.cloud.of("google_sql_database_instance").keys()]).toEqual(["demo-1"]);
      expect(stage.provider.calls.filter(({ action }) => action === "delete")).toEqual([]);
    }

    test("is made, found from another machine, as it is encrypted and without the password, and empty in the end", async () => {
      await using bucket = await start();
      await using stage = await stageAt(bucket);
      const written: string[] = [];
      bucket.meet(({ name }) => void written.push(name));
      await ensureDataStore(await on(stage, "one"), wanted);
      expect([...bucket.objects.keys()]).toEqual([state]);
      const other = await on(stage, "another");
      expect(await planOfDataStore(other, wanted)).toMatchObject({ changes: false, drift: [] });
      expect([...(await other.contents())].sort()).toEqual([
        "google_sql_database.this",
        "google_sql_database_instance.this",
        "google_sql_user.this",
      ]);
      // Google encrypts without being asked.
      const asked = kind === "s3" ? { "x-amz-server-side-encryption": "AES256" } : {};
      expect(bucket.objects.get(state)?.headers).toMatchObject(asked);
      await removeDataStore(other, wanted, "confirmed-by-person");
      expect(await other.contents()).toEqual([]);
      expect([...stage.cloud.resources.values()].flatMap((all) => [...all.keys()])).toEqual([]);
      expect([...bucket.objects.keys()]).toEqual([state]);
      expect(new Set(written)).toEqual(new Set([state, lock]));
      expect(await holders().read()).toEqual([]);
      const told = bucket.received.join("\n");
      expect(told).toContain("google_sql_user");
      expect(told).not.toContain(password);
      expect(told).not.toContain(Buffer.from(password).toString("base64"));
    });

    test("is not touched while somebody works on it, and it is said who", async () => {
      await using bucket = await start();
      await using stage = await stageAt(bucket);
      const { end, answer } = await inTheMiddle(stage, await on(stage, "one"));
      expect(bucket.objects.has(lock)).toBe(true);
      const beside = await on(stage, "one", { folder: "beside" });
      await expect(ensureDataStore(beside, wanted)).rejects.toMatchObject({
        problem: "locked",
        class: "transient",
        message: expect.stringMatching(/^\S+@\S+ holds the lock of the state, and .*demo-create-1 is at it/),
        mend: "wait until it is done, then retry",
      });
      answer();
      expect(isTerraformError(await end)).toBe(false);
      expect([...bucket.objects.keys()]).toEqual([state]);
      await oneInstance(stage);
    });

    test("is asked for again where its holder lets go of it while one looks who that is", async () => {
      await using bucket = await start();
      await using stage = await stageAt(bucket);
      await ensureDataStore(await on(stage, "one"), wanted);
      bucket.meet(({ name }) => {
        if (name !== lock) return undefined;
        bucket.meet(undefined);
        bucket.objects.set(lock, { body: Buffer.from("{}"), generation: 1, headers: {} });
        setImmediate(() => bucket.objects.delete(lock));
        return undefined;
      });
      const plan = async () => planOfDataStore(await on(stage, "one"), wanted);
      // OpenTofu asks again by itself, where Google says so.
      const planned = await plan().catch((error: unknown) => {
        expect(error).toMatchObject({
          problem: "locked",
          class: "transient",
          mend: expect.stringContaining("retry"),
        });
        return plan();
      });
      expect(planned).toMatchObject({ changes: false, drift: [] });
    });

    test("is unlocked by itself where the process that held it is gone", async () => {
      await using bucket = await start();
      await using stage = await stageAt(bucket);
      const sql = await on(stage, "one");
      await killedInTheMiddle(stage, sql);
      expect(bucket.objects.has(lock)).toBe(true);
      expect(bucket.objects.get(state)?.body.includes("google_sql_database_instance") ?? false).toBe(false);
      await ensureDataStore(sql, wanted);
      expect([...bucket.objects.keys()]).toEqual([state]);
      await oneInstance(stage);
    });

    test("is unlocked from another machine where the holder's pod is gone, and not before", async () => {
      await using bucket = await start();
      await using stage = await stageAt(bucket);
      const ref = { namespace: systemNamespace, name: `operator-${kind}` };
      const { metadata } = await cluster().create(resources.pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: ref,
        spec: { containers: [{ name: "operator", image: "operator" }] },
      });
      await killedInTheMiddle(stage, await on(stage, "one", { pod: { ...ref, uid: metadata.uid ?? "" } }));
      await expect(ensureDataStore(await on(stage, "another"), wanted)).rejects.toMatchObject({
        problem: "locked",
        class: "transient",
        message: expect.stringContaining(`pod ${ref.name} lives`),
      });
      await cluster().delete(resources.pods, ref);
      await ensureDataStore(await on(stage, "another"), wanted);
      await oneInstance(stage);
    });

    test("stays locked where nobody knows whether its holder lives, until a person names it", async () => {
      await using bucket = await start();
      await using stage = await stageAt(bucket);
      await killedInTheMiddle(stage, await on(stage, "one"));
      const other = await on(stage, "another");
      const refused = await ensureDataStore(other, wanted).catch((error: unknown) => error);
      if (!isTerraformError(refused, "locked") || refused.lock === undefined) throw refused;
      expect(refused).toMatchObject({
        class: "conflict",
        message: expect.stringContaining("it was taken on another machine"),
        mend: expect.stringContaining(`platform run retry demo-create-1 --take-lock ${refused.lock.who}`),
      });
      await expect(ensureDataStore(other, { ...wanted, lockHolder: "root@another" })).rejects.toMatchObject({
        problem: "locked",
      });
      expect(bucket.objects.has(lock)).toBe(true);
      await ensureDataStore(other, { ...wanted, lockHolder: refused.lock.who });
      await oneInstance(stage);
    });

    test("that could not be written is written by the next who comes", async () => {
      await using bucket = await start();
      await using stage = await stageAt(bucket);
      const sql = await on(stage, "one");
      bucket.meet(({ name }) =>
        name === state && stage.cloud.of("google_sql_user").size > 0 ? "refused" : undefined,
      );
      await expect(ensureDataStore(sql, wanted)).rejects.toMatchObject({ problem: "credentials" });
      expect(await readdir(sql.folder)).toContain("errored.tfstate");
      bucket.meet(undefined);
      const calls = stage.provider.calls.length;
      await ensureDataStore(sql, wanted);
      expect(stage.provider.calls.slice(calls).filter(({ action }) => action !== undefined)).toEqual([]);
      expect(await readdir(sql.folder)).not.toContain("errored.tfstate");
      await oneInstance(stage);
    });

    test.each(failures)("$what is refused, and nothing is made", async (failure) => {
      await using bucket = await start();
      const credentials = "credentials" in failure ? failure.credentials() : bucket.credentials;
      const place: BucketPlace = { ...bucket.place, ...("place" in failure ? failure.place : {}) };
      const environment = environmentOf(credentials);
      await using stage = await setStage(place, environment, bucket.endpoint);
      bucket.meet("meanwhile" in failure ? failure.meanwhile : undefined);
      const refused = {
        problem: failure.problem,
        class: failure.class,
        message: expect.stringMatching(failure.says),
        mend: expect.stringMatching(
          failure.problem === "invalid" ? /terraform\.bucket of the standards/ : /credentials/,
        ),
      };
      await expect(ensureDataStore(await on(stage, "one"), wanted)).rejects.toMatchObject(refused);
      expect(stage.cloud.resources.size).toBe(0);
      const binary = terraform;
      if (binary === undefined) throw new Error("there is no Terraform");
      await expect(
        bucketTakesStates(place, binary, terraformEnvironment(environment, bucket.endpoint)),
      ).rejects.toMatchObject(refused);
      expect([...bucket.objects.keys()]).toEqual([]);
    });

    test("is tried before a run: that leaves nothing, and does not wait for ever", async () => {
      await using bucket = await start();
      const binary = terraform;
      if (binary === undefined) throw new Error("there is no Terraform");
      const environment = terraformEnvironment(environmentOf(bucket.credentials), bucket.endpoint);
      await bucketTakesStates(bucket.place, binary, environment);
      expect([...bucket.objects.keys()]).toEqual([]);
      bucket.meet(() => new Promise(() => {}));
      await expect(bucketTakesStates(bucket.place, binary, environment, 1_000)).rejects.toMatchObject({
        problem: "unreachable",
        class: "unreachable",
      });
    });

    test("serves a whole run: a service with both data stores, taken back; refused before it begins without its bucket", async () => {
      await using bucket = await start();
      const { place, endpoint } = bucket;
      const environment = environmentOf(bucket.credentials);
      await using stage = await cloudStage({ cluster: cluster(), place, environment, endpoint });
      const service = named(`bucket-${kind}`);
      const provisioner = stage.provisioner();
      const recorded = async () =>
        (await cluster().list(resources.configMaps, { namespace: systemNamespace })).items.flatMap(
          ({ metadata: { name } }) => (name.startsWith(`terraform-holder-${service}-`) ? [name] : []),
        );
      const working: string[] = [];
      stage.meet(async ({ action }) => {
        if (action === "create") working.push(...(await recorded()));
        return undefined;
      });
      const created = await (await provisioner.create(whole(service), { onFailure: "hold" })).finished;
      expect(created.phase, JSON.stringify(created.failure)).toBe("Succeeded");
      expect(working).toContainEqual(expect.stringMatching(/-db$/));
      expect(working).toContainEqual(expect.stringMatching(/-cache$/));
      expect(await recorded()).toEqual([]);
      const secret = await stage.secret(service, "db");
      expect(bucket.received.join("\n")).toContain(`${service}-`);
      expect(bucket.received.join("\n")).not.toContain(secret.password);
      expect(await stage.passwordsTold()).toEqual([]);
      const back = await provisioner.rollback(created.name, { dataStores: "delete", confirmed: service });
      expect((await back.finished).phase, JSON.stringify(back.state.steps)).toBe("RolledBack");
      expect(await stage.leftOf(service)).toEqual([]);

      const elsewhere = { ...place, bucket: "another-bucket" };
      await using without = await cloudStage({ cluster: cluster(), place: elsewhere, environment, endpoint });
      const other = named(`bucket-${kind}`);
      await expect(without.provisioner().create(whole(other), { onFailure: "hold" })).rejects.toMatchObject({
        kind: "refused",
        message: expect.stringContaining("another-bucket"),
      });
      expect(await without.leftOf(other)).toEqual([]);
    });
  },
);

test.skipIf(terraform === undefined)(
  "a state in gcs that was locked to be made, by who is gone: it is said which lock to remove",
  async () => {
    await using bucket = await startGcs();
    await using stage = await setStage(bucket.place, environmentOf(bucket.credentials), bucket.endpoint);
    const sql = await stage.sql();
    const reached = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<"refused">();
    bucket.meet(({ name }) => {
      if (!name.endsWith(".tfstate")) return undefined;
      reached.resolve();
      return ended.promise;
    });
    const first = ensureDataStore(sql, wanted).catch((error: unknown) => error);
    await reached.promise;
    await killTerraform(sql);
    expect(isTerraformError(await first, "died")).toBe(true);
    ended.resolve("refused");
    bucket.meet(undefined);
    const lock = `${prefix}/default.tflock`;
    await expect(ensureDataStore(sql, wanted)).rejects.toMatchObject({
      problem: "locked",
      class: "conflict",
      message: expect.stringContaining("locked the state before it was made"),
      mend: expect.stringContaining(`gcloud storage rm gs://acme-states/${lock}`),
    });
    bucket.objects.delete(lock);
    await ensureDataStore(sql, wanted);
    expect(await planOfDataStore(sql, wanted)).toMatchObject({ changes: false });
  },
);
