import { expect, test } from "vitest";
import { failure } from "../../../src/cluster/failure.ts";
import { toRunError } from "../../../src/provisioning/errors.ts";
import type { RunError } from "../../../src/provisioning/runs/event.ts";

const reasons: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

/** Answers as Kubernetes 1.37 gives them, by the class a run records. */
const answers: readonly [
  RunError["class"],
  number,
  string,
  { readonly field?: string; readonly reason?: string }?,
][] = [
  [
    "transient",
    409,
    'Operation cannot be fulfilled on resourcequotas "quota": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [
    "transient",
    409,
    'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (1) does not match the UID in record (2). The object might have been deleted and then recreated',
  ],
  [
    "transient",
    422,
    'ConfigMap "a" is invalid: metadata.uid: Invalid value: "1": field is immutable',
    { field: "metadata.uid", reason: "FieldValueInvalid" },
  ],
  ["transient", 429, "the server has received too many requests and has asked us to try again later"],
  [
    "transient",
    500,
    'Internal error occurred: failed calling webhook "mutate.example.com": failed to call webhook: Post "https://hook.example.svc:443/?timeout=10s": context deadline exceeded',
  ],
  [
    "transient",
    422,
    "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'platform-pods' with binding 'platform-pods' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
  ],
  [
    "transient",
    422,
    "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'platform-pods' denied request: failed to configure policy: paramKind kind `platform.company.com/v1, Kind=Guardrails` not yet synced to use for admission",
  ],
  ["transient", 503, "the server is currently unable to handle the request"],
  ["transient", 504, "request did not complete within requested timeout - context deadline exceeded"],
  [
    "refused",
    403,
    'configmaps "b" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1',
  ],
  ["refused", 403, 'pods "p" is forbidden: violates PodSecurity "restricted:latest": privileged'],
  ["refused", 403, 'admission webhook "guard.example.com" denied the request: no'],
  [
    "refused",
    422,
    "deployments.apps \"a\" is forbidden: ValidatingAdmissionPolicy 'probes' with binding 'probes' denied request: every container needs probes",
  ],
  [
    "refused",
    403,
    'configmaps "d" is forbidden: unable to create new content in namespace app-a because it is being terminated',
    { field: "metadata.namespace", reason: "NamespaceTerminating" },
  ],
  ["refused", 404, 'namespaces "app-a" not found'],
  [
    "rights",
    403,
    'configmaps is forbidden: User "ann" cannot create resource "configmaps" in API group "" in the namespace "app-a"',
  ],
  [
    "rights",
    403,
    'resourcequotas is forbidden: User "ann" cannot create resource "resourcequotas" in API group ""',
  ],
  ["rights", 401, "Unauthorized"],
  [
    "invalid",
    422,
    'ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes',
    { field: "[]", reason: "FieldValueTooLong" },
  ],
];

test.each(answers)("%s: %i %s", (expected, code, message, cause) => {
  const details = cause === undefined ? {} : { causes: [{ ...cause, message: "" }] };
  const body = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    reason: reasons[code],
    message,
    details,
  };
  const error = toRunError(failure({ status: code, body }, "create configmaps app-a/a", "prod"));
  expect(error.class).toBe(expected);
  expect(error.message).toContain("create configmaps app-a/a");
  expect(error.mend).not.toBe("");
});

test("a namespace that is being deleted, and an API that is not served, have their own advice", () => {
  const body = {
    kind: "Status",
    status: "Failure",
    code: 403,
    reason: "Forbidden",
    message: "it is being terminated",
    details: { causes: [{ field: "metadata.namespace", message: "", reason: "NamespaceTerminating" }] },
  };
  expect(toRunError(failure({ status: 403, body }, "", "prod")).mend).toContain("is deleting the namespace");
  expect(toRunError(failure({ status: 404, body: "404 page not found" }, "", "prod")).mend).toContain(
    "installed",
  );
});
