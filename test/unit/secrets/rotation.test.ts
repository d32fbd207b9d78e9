import { describe, expect, test } from "vitest";
import { z } from "zod";
import { desiredObjects } from "../../../src/application/desired-objects.ts";
import { applicationFor } from "../../../src/application/from-request.ts";
import { labelsFor, maxServiceNameLength } from "../../../src/application/names.ts";
import { judgeConnection, type NetworkPod } from "../../../src/application/network-evaluator.ts";
import { serviceRequestSchema } from "../../../src/application/request.ts";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { readersOf } from "../../../src/secrets/list-secrets.ts";
import { otherLogin, rotatable, turnIn, turnSecret } from "../../../src/secrets/rotation.ts";
import { rotationObjects } from "../../../src/secrets/rotation-job.ts";
import { scramVerifier } from "../../../src/secrets/scram.ts";
import { standardsSchema } from "../../../src/standards/standards.ts";

const standards = standardsSchema.parse({ images: { starter: "registry.example.internal/starter:1" } });
const named = (name: string) =>
  applicationFor(
    serviceRequestSchema.parse({ name, language: "go", database: "postgres", cache: "redis" }),
    standards,
  );
const ledger = named("ledger");
const atGoogle = standardsSchema.parse({
  ...standards,
  google: { project: "acme-data", network: "projects/acme-data/global/networks/main", range: "10.20.0.0/16" },
});
/** The same service with its database at Cloud SQL. */
const cloudLedger = {
  ...ledger,
  spec: { ...ledger.spec, database: { type: "postgres" as const, provider: "cloudsql" as const } },
};
const objects = Object.values(desiredObjects(ledger, standards)).flat();
const actions = ["enable", "prove", "revoke"] as const;

test("what PostgreSQL stores of a password is what RFC 7677 says, for its own example", () => {
  const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
  expect(scramVerifier("pencil", salt)).toBe(
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
  );
});

describe("a rotation's jobs in the closed network of the service", () => {
  const templateSchema = z.looseObject({
    spec: z.looseObject({
      template: z.looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }) }),
    }),
  });
  const labelsOf = (object: KubeObject | undefined) =>
    templateSchema.parse(object).spec.template.metadata.labels;
  const pod = (object: KubeObject | undefined): { readonly pod: NetworkPod } => ({
    pod: { namespace: "app-ledger", labels: labelsOf(object), ports: [] },
  });
  const [database, cache] = ["ledger-db", "ledger-cache"].map((name) =>
    pod(objects.find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name === name)),
  );
  const service = pod(objects.find(({ kind }) => kind === "Deployment"));
  type Peer = { readonly pod: NetworkPod };
  const stranger: Peer = {
    pod: { namespace: "app-ledger", labels: labelsFor("ledger", "platform", "stranger"), ports: [] },
  };

  function open(policies: readonly KubeObject[], from: Peer, to: Peer, port: number): boolean {
    const world = {
      policies: [...objects.filter(({ kind }) => kind === "NetworkPolicy"), ...policies],
      namespaces: { "app-ledger": objects.find(({ kind }) => kind === "Namespace")?.metadata.labels ?? {} },
    };
    return judgeConnection(world, { from, to, port, protocol: "TCP" }).allowed;
  }

  test.each(actions)("%s reaches its data store and nothing else, and opens it to nobody else", (action) => {
    for (const [store, own, ownPort, other, otherPort] of [
      ["database", database, 5432, cache, 6379],
      ["cache", cache, 6379, database, 5432],
    ] as const) {
      const { policies, job } = rotationObjects(ledger, standards, store, action);
      const from = pod(job);
      if (own === undefined || other === undefined) throw new Error("no data store");
      expect(open(policies, from, own, ownPort)).toBe(true);
      expect(open([], from, own, ownPort)).toBe(false);
      expect(open(policies, from, own, ownPort + 1)).toBe(false);
      expect(open(policies, from, other, otherPort)).toBe(false);
      expect(open(policies, from, service, 8080)).toBe(false);
      expect(open(policies, stranger, own, ownPort)).toBe(false);
      expect(open(policies, own, from, ownPort)).toBe(false);
    }
  });

  test.each(actions)("%s reaches a database at Google and nothing else", (action) => {
    const { policies, job } = rotationObjects(cloudLedger, atGoogle, "database", action);
    const from = pod(job);
    const at = (ip: string) => ({ ip });
    const reach = (to: Peer | { readonly ip: string }, port: number, through = policies) =>
      judgeConnection(
        {
          policies: [...objects.filter(({ kind }) => kind === "NetworkPolicy"), ...through],
          namespaces: { "app-ledger": {} },
        },
        { from, to, port, protocol: "TCP" },
      ).allowed;
    expect(reach(at("10.20.0.3"), 5432)).toBe(true);
    expect(reach(at("10.20.0.3"), 5432, [])).toBe(false);
    expect(reach(at("10.20.0.3"), 5433)).toBe(false);
    expect(reach(at("10.21.0.3"), 5432)).toBe(false);
    for (const other of [database, cache, service]) {
      if (other === undefined) throw new Error("no such pod");
      for (const port of [5432, 6379, 8080]) expect(reach(other, port)).toBe(false);
    }
  });

  test("no Service and no workload takes their pods for its own", () => {
    const own = labelsOf(rotationObjects(ledger, standards, "database", "enable").job);
    const matchSchema = z.record(z.string(), z.string());
    const workloadSchema = z.looseObject({ selector: z.looseObject({ matchLabels: matchSchema }) });
    const serviceSchema = z.looseObject({ selector: matchSchema });
    const selectors = objects.flatMap(({ spec }) => {
      const found =
        workloadSchema.safeParse(spec).data?.selector.matchLabels ??
        serviceSchema.safeParse(spec).data?.selector;
      return found === undefined ? [] : [found];
    });
    expect(selectors.length).toBeGreaterThan(4);
    for (const selector of selectors) {
      expect(Object.entries(selector).every(([key, value]) => own[key] === value)).toBe(false);
    }
  });
});

test("names of jobs are short enough for their pods' labels, and nothing of a job is a value of a Secret", () => {
  const longest = named("a".repeat(maxServiceNameLength));
  for (const store of rotatable) {
    for (const action of actions) {
      const { job, policies } = rotationObjects(longest, standards, store, action);
      expect(job.metadata.name.length).toBeLessThanOrEqual(63);
      const cloud = rotationObjects(cloudLedger, atGoogle, "database", action);
      const text = JSON.stringify([job, policies, cloud]);
      expect(text).not.toMatch(/"name":"[A-Z_]*(PASSWORD|VERIFIER)","value"/);
    }
  }
});

test("both sides of a rotation are found again in its Secret, and one that is damaged is none", () => {
  const turn = {
    next: { username: "app_ledger_2", password: "new" },
    previous: { username: "app_ledger", password: "old" },
    version: 3,
  };
  const secret = turnSecret(ledger, "database", turn, (size) => new Uint8Array(size));
  expect(turnIn(secret)).toEqual(turn);
  expect(turnIn({ ...secret, data: {} })).toBeUndefined();
  expect(otherLogin(["a", "b"], "a")).toBe("b");
  expect(otherLogin(["a", "b"], "b")).toBe("a");
  expect(otherLogin(["a", "b"], "c")).toBeUndefined();
});

test("who reads a Secret is told by what pods refer to, as a variable or as a file", () => {
  expect(readersOf(objects, "ledger-db")).toEqual(["statefulset/ledger-db", "deployment/ledger"]);
  expect(readersOf(objects, "ledger-cache-admin")).toEqual(["statefulset/ledger-cache"]);
  expect(readersOf(objects, "ledger")).toEqual([]);
});
