import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { applicationCrd } from "../../src/application/crd.ts";
import { namespaceObjects } from "../../src/application/desired-objects.ts";
import { apply, type Cluster } from "../../src/cluster/cluster.ts";
import { find } from "../../src/cluster/find.ts";
import type { KubeObject } from "../../src/cluster/object.ts";
import { type Resource, resourceOf, resources } from "../../src/cluster/resource.ts";
import { guardrailsCrd } from "../../src/guardrails/crd.ts";
import { standardsObject } from "../../src/installation/objects.ts";
import { write } from "../../src/provisioning/engine/write.ts";
import { standardsCrd } from "../../src/standards/crd.ts";
import { type Standards, standardsName } from "../../src/standards/standards.ts";

/** Brings what the controllers need: definitions and standards. */
export async function prepare(cluster: Cluster, standards: Standards): Promise<void> {
  for (const crd of [applicationCrd, standardsCrd, guardrailsCrd]) {
    await apply(cluster, resources.customResourceDefinitions, crd);
  }
  await eventually("the definitions are served", async () => {
    for (const resource of [resources.applications, resources.standards, resources.guardrails]) {
      expect(await cluster.serves(resource, { refresh: true })).toBe(true);
    }
    const there = await find(cluster, resources.standards, { name: standardsName });
    await write(cluster, standardsObject(standards), there);
  });
}

/** Makes a managed namespace, as `platform namespace manage` does. */
export async function manage(
  cluster: Cluster,
  name: string,
  standards: Standards,
  team = "payments",
): Promise<void> {
  const [namespace, ...others] = namespaceObjects({ name, team }, standards, { guardrails: true });
  if (namespace === undefined) throw new Error("no namespace");
  await apply(cluster, resources.namespaces, namespace);
  // Admission policies know their parameters, which are among these, a moment after they were written.
  await eventually(`${name} is managed`, async () => {
    await Promise.all(others.map((object) => apply(cluster, resourceOf(object), object)));
  });
}

/** Deletes a managed namespace, while an operator is there that lets its Applications go, and waits until it is gone. */
export async function unmanage(cluster: Cluster, name: string): Promise<void> {
  await cluster.delete(resources.namespaces, { name });
  await eventually(`${name} is gone`, async () =>
    expect(await find(cluster, resources.namespaces, { name })).toBeUndefined(),
  );
}

/** An Application with the least in it that has a Deployment, a Service, an identity and paths. */
export function application(
  namespace: string,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Application",
    metadata: { namespace, name },
    spec: { image: "registry.example.internal/payments/ledger:1", monitoring: { enabled: false }, ...spec },
  };
}

/** Polls until the assertions hold; what they say in the end is the failure. */
export async function eventually(what: string, assertions: () => Promise<void> | void): Promise<void> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    try {
      await assertions();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`not within 40 s: ${what}`, { cause: error });
      await setTimeout(50);
    }
  }
}

/** The object, or undefined. */
export function read(cluster: Cluster, resource: Resource, namespace: string, name: string) {
  return find(cluster, resource, { namespace, name });
}

/** A condition of an Application, as `True Ready`. */
export async function condition(cluster: Cluster, namespace: string, name: string, type: string) {
  const object = await read(cluster, resources.applications, namespace, name);
  const status: unknown = object?.status;
  const conditions: unknown =
    typeof status === "object" && status !== null && "conditions" in status ? status.conditions : [];
  const found = Array.isArray(conditions)
    ? conditions.find((candidate: { type?: unknown }) => candidate.type === type)
    : undefined;
  return found === undefined ? "" : `${found.status} ${found.reason}`;
}
