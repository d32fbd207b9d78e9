import { expect, onTestFinished, test } from "vitest";
import { resources } from "../../../src/cluster/resource.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";
import { composition, testStandards } from "../../provisioning/composition.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";
import { named, whole } from "../../provisioning/telling.ts";

test("what was kept is not run by a version that does not read it, and the refusal writes nothing", async () => {
  const stage = await sandboxStage();
  onTestFinished(() => stage.close());
  const made = await composition(stage.cluster);
  onTestFinished(() => made.close());
  const service = named("kept");
  const first = await made.provisioner().create(whole(service), { onFailure: "hold" });
  expect((await first.finished).phase).toBe("Succeeded");
  const gone = await made.provisioner().delete(service, { dataStores: "keep-used" });
  expect((await gone.finished).phase).toBe("Succeeded");
  const runs = (await made.provisioner().list({ service })).length;

  const image = "docker.io/library/postgres:17.1";
  const other = standardsSchema.parse({ ...testStandards, database: { image } });
  const refused = made.provisioner({ standards: other }).create(whole(service), { onFailure: "hold" });
  await expect(refused).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining("PostgreSQL 17 does not read what PostgreSQL 15 has written"),
    mend: expect.stringContaining(`platform service delete ${service} --data-stores delete`),
  });
  expect((await made.provisioner().list({ service })).length).toBe(runs);
  const ref = { namespace: `app-${service}`, name: `${service}-db` };
  expect(JSON.stringify(await stage.cluster.get(resources.statefulSets, ref))).not.toContain(image);

  // Its volume keeps the size that it was made with.
  const larger = standardsSchema.parse({ ...testStandards, database: { storage: "50Gi" } });
  const again = await made.provisioner({ standards: larger }).create(whole(service), { onFailure: "hold" });
  const state = await again.finished;
  expect(state.phase, JSON.stringify(state.failure)).toBe("Succeeded");
  expect(JSON.stringify(await stage.cluster.get(resources.statefulSets, ref))).toContain('"storage":"10Gi"');
});
