import { expect, test } from "vitest";
import type { Child } from "../../../../src/operator/applications/child.ts";
import { type Owner, type Verdict, verdictOn } from "../../../../src/operator/applications/verdict.ts";

const application: Owner = { kind: "application", key: "shop/ledger", uid: "ours" };
const service: Owner = { kind: "service", key: "shop/ledger" };
const ofNamespace: Owner = { kind: "namespace" };

/** As a run leaves it: labelled, applied, without an owner. */
const made: Child = {
  uid: "1",
  digest: "old",
  replicas: undefined,
  application: "shop/ledger",
  controller: undefined,
  stranger: undefined,
  managed: true,
  run: "ledger-create-1",
  leaving: false,
  workload: undefined,
  generation: 1,
  pods: 0,
  migration: undefined,
  complaint: undefined,
  provider: undefined,
};
const controlled: Child = { ...made, controller: "ours", run: undefined };

test.each<[string, Owner, Child | undefined, Verdict["do"]]>([
  ["is not there", application, undefined, "create"],
  ["is ours and differs", application, controlled, "apply"],
  ["is ours and as wanted", application, { ...controlled, digest: "new" }, "nothing"],
  [
    "is ours and has lost its labels",
    application,
    { ...controlled, managed: false, digest: undefined },
    "apply",
  ],
  ["was made by a run before the Application", application, made, "apply"],
  ["was made by hand", application, { ...made, digest: undefined }, "conflict"],
  ["was applied by us without the label", application, { ...made, managed: false }, "conflict"],
  ["is another service's", application, { ...made, application: "shop/orders" }, "conflict"],
  [
    "is another Application's",
    application,
    { ...controlled, controller: "theirs", application: "shop/orders" },
    "conflict",
  ],
  [
    "is of an Application of this name that is gone",
    application,
    { ...controlled, controller: "gone" },
    "wait",
  ],
  ["is a stranger's", application, { ...controlled, stranger: "ReplicaSet ledger-1" }, "conflict"],
  ["is being deleted", application, { ...controlled, leaving: true }, "wait"],
  ["is being deleted and not ours", application, { ...made, digest: undefined, leaving: true }, "wait"],
  ["is a data store that outlived its Application", service, made, "apply"],
  ["is somebody else's data store", service, { ...made, managed: false, digest: undefined }, "conflict"],
  ["is a namespace's own", ofNamespace, { ...made, application: undefined }, "apply"],
  ["has a namespace's own name, and is an Application's", ofNamespace, controlled, "conflict"],
])("an object that %s", (_, owner, live, verdict) => {
  expect(verdictOn({ digest: "new", replicas: undefined, owner }, live).do).toBe(verdict);
});

test("keeps its maker when it is written", () => {
  const wanted = { digest: "new", replicas: undefined, owner: application };
  expect(verdictOn(wanted, made)).toMatchObject({ do: "apply", uid: "1", run: "ledger-create-1" });
});

test("replicas are an autoscaler's where it has one, and no pod goes when it gets one", () => {
  const scaled = { ...controlled, digest: "same", replicas: 5 };
  const wanted = { digest: "same", owner: application };
  expect(verdictOn({ ...wanted, replicas: 5 }, scaled).do).toBe("nothing");
  expect(verdictOn({ ...wanted, replicas: 2 }, scaled)).toMatchObject({ do: "apply", replicas: 2 });
  expect(verdictOn({ ...wanted, replicas: undefined }, scaled).do).toBe("nothing");
  expect(verdictOn({ ...wanted, digest: "new", replicas: undefined }, scaled)).toMatchObject({ replicas: 5 });
});
