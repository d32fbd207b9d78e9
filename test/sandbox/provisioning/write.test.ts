import { afterAll, beforeAll, expect, test } from "vitest";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { asWanted, write } from "../../../src/provisioning/engine/write.ts";
import { testStandards } from "../../provisioning/composition.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

let stage: Awaited<ReturnType<typeof sandboxStage>>;
beforeAll(async () => {
  stage = await sandboxStage();
});
afterAll(() => stage?.close());

test("a Deployment that an autoscaler is to take over has not a pod less, and the autoscaler's number stays", async () => {
  const { cluster } = stage;
  const request = serviceRequestSchema.parse({ name: "ledger", language: "go", replicas: 3 });
  const application = applicationFor(request, testStandards);
  const of = (spec: typeof application.spec): KubeObject => {
    const { workload } = desiredObjects({ ...application, spec }, testStandards);
    const deployment = workload.find(({ kind }) => kind === "Deployment");
    if (deployment === undefined) throw new Error("no Deployment");
    return { ...deployment, metadata: { ...deployment.metadata, namespace: "default" } };
  };
  const autoscaled = of({
    ...application.spec,
    autoscaling: { minReplicas: 2, maxReplicas: 9, cpuPercent: 70 },
  });
  const ref = { namespace: "default", name: "ledger" };
  const fixed = await write(cluster, of(application.spec), undefined);
  expect(asWanted(autoscaled, fixed)).toBe(true);
  const rolled = await write(cluster, { ...autoscaled, spec: changed(autoscaled) }, fixed);
  expect(rolled.spec).toMatchObject({ replicas: 3, minReadySeconds: 1 });

  // As an autoscaler does it, which takes the field over.
  const scaled = await cluster.patch(resources.deployments, ref, {
    type: "merge",
    body: { spec: { replicas: 5 } },
  });
  const again = await write(cluster, autoscaled, scaled);
  expect(again.spec).toMatchObject({ replicas: 5 });
  expect(asWanted(autoscaled, again)).toBe(true);
  // Whoever takes the autoscaler away says how many there are to be.
  expect((await write(cluster, of(application.spec), again)).spec).toMatchObject({ replicas: 3 });
});

function changed({ spec }: KubeObject): object {
  return { ...(typeof spec === "object" ? spec : {}), minReadySeconds: 1 };
}
