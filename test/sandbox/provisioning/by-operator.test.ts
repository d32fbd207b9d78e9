import { afterAll, beforeAll, expect, test } from "vitest";
import { applicationFinalizer, namespaceOf, serviceNameSchema } from "../../../src/application/names.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";
import { composition } from "../../provisioning/composition.ts";
import { type Operating, operating } from "../../provisioning/operating.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

let stage: Awaited<ReturnType<typeof sandboxStage>>;
let made: Awaited<ReturnType<typeof composition>>;
let operator: Operating;
beforeAll(async () => {
  stage = await sandboxStage();
  made = await composition(stage.cluster);
  operator = await operating(stage.cluster, made);
});
afterAll(async () => {
  await operator?.stop();
  await made?.close();
  await stage?.close();
});

const small = (name: string) => serviceRequestSchema.parse({ name, language: "go", replicas: 1 });

test("a service is created, scaled, rolled back and deleted by the operator, and whoever asked sees each event", async () => {
  const ann = made.provisioner({ clock: systemTiming });
  const name = serviceNameSchema.parse("ledger");
  const creation = await ann.create(small("ledger"), { onFailure: "rollback" });
  const events: string[] = [];
  creation.subscribe((event) => events.push(event.type));
  expect(creation.by).toBe("operator");
  const created = await creation.finished;
  expect(created).toMatchObject({
    phase: "Succeeded",
    holder: "operator@one",
    requestedBy: expect.any(String),
  });
  expect(events.filter((type) => type === "StepSucceeded").length).toBeGreaterThan(5);
  expect(events.at(-1)).toBe("RunSucceeded");

  const scaling = await ann.change(name, { operation: "scale", replicas: 2 }, { dataStores: "keep" });
  const scaled = await scaling.finished;
  expect(scaled).toMatchObject({ phase: "Succeeded", change: { after: { replicas: 2 } } });

  const undoing = await ann.rollback(scaling.name, { dataStores: "keep-used" });
  const undone = await undoing.finished;
  expect(undone).toMatchObject({ phase: "RolledBack", holder: "operator@one" });
  expect(undone.rollback?.by).toBe(created.requestedBy);

  const deletion = await ann.delete(name, { dataStores: "delete", confirmed: name });
  expect(await deletion.finished).toMatchObject({ phase: "Succeeded" });
});

test("what the operator refuses is refused in the words of one's own process, and recorded", async () => {
  const ann = made.provisioner({ clock: systemTiming });
  const [first, second] = await Promise.allSettled([
    ann.create(small("twice"), { onFailure: "rollback" }),
    ann.create(small("twice"), { onFailure: "rollback" }),
  ]);
  const refused = [first, second].filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(1);
  expect(refused[0]).toMatchObject({
    // Which of the two depends on how far the first is by then.
    reason: {
      kind: expect.stringMatching(/^(busy|usage)$/),
      message: expect.stringMatching(/worked on|exists/),
    },
  });
  for (const each of [first, second]) if (each.status === "fulfilled") await each.value.finished;
  const runs = await ann.list({ service: serviceNameSchema.parse("twice") });
  expect(runs.map(({ phase }) => phase).sort()).toEqual(["Refused", "Succeeded"]);
});

test("where the operator that held an Application is gone, whoever deletes the service lets it go", async () => {
  await operator.stop();
  const ann = made.provisioner();
  const name = serviceNameSchema.parse("held");
  await (await ann.create(small(name), { onFailure: "rollback" })).finished;
  const ref = { namespace: namespaceOf(name), name };
  const finalizers = [applicationFinalizer];
  await stage.cluster.patch(resources.applications, ref, {
    type: "merge",
    body: { metadata: { finalizers } },
  });
  const deletion = await ann.delete(name, { dataStores: "delete" });
  expect(deletion.by).toBe("this-process");
  expect(await deletion.finished).toMatchObject({ phase: "Succeeded" });
});
