import { describe, expect, test } from "vitest";
import { ensureDataStore, planOfDataStore, removeDataStore } from "../../../src/terraform/data-store.ts";
import type { Bucket } from "../../terraform/buckets/bucket.ts";
import { startGcs } from "../../terraform/buckets/gcs.ts";
import { startS3 } from "../../terraform/buckets/s3.ts";
import { database, password, setStage, terraform } from "../../terraform/stage.ts";

const wanted = { variables: database(), hidden: { password } };

describe.skipIf(terraform === undefined).each([
  { what: "gcs", start: startGcs },
  { what: "s3", start: startS3 },
])("a state in $what", ({ start }) => {
  const stageAt = (bucket: Bucket) =>
    setStage(
      bucket.place,
      { PATH: process.env.PATH, HOME: "/nowhere", ...bucket.credentials },
      bucket.endpoint,
    );

  test("works", async () => {
    await using bucket = await start();
    await using stage = await stageAt(bucket);
    const sql = await stage.sql();
    await ensureDataStore(sql, wanted);
    expect(await planOfDataStore(sql, wanted)).toMatchObject({ changes: false, drift: [] });
    console.log(
      [...bucket.objects.keys()],
      [...bucket.objects.values()].map((e) => e.headers),
    );
    await removeDataStore(sql, wanted, "confirmed-by-person");
    console.log(
      [...bucket.objects.keys()],
      [...bucket.objects.values()].map((e) => e.body.toString()),
    );
    console.log(bucket.received.map((each) => each.slice(0, 150)));
  });
});
