import { applicationFinalizer, labels } from "../../application/names.ts";
import { imageRules } from "../images.ts";
import { exceptions } from "../pod-rules.ts";
import type { Guardrail } from "../policy.ts";
import { isOperator, literal, mayManage, notThePlatform } from "../principals.ts";

const applications = (resources: readonly string[]): Guardrail["requests"] => [
  { groups: ["platform.company.com"], resources, operations: ["CREATE", "UPDATE"] },
];

const images = imageRules("variables.excepted");

/** Path of the image that migrates, where it has one of its own. */
const migrates = "migrations.?image";

/** The pods would be refused: said at once to whoever names the image. */
export const applicationImages: Guardrail = {
  name: "application-images",
  reason: "An Application whose image its pods could not run is refused itself.",
  params: "guardrails",
  withoutParams: "changes pass",
  where: "managed",
  requests: applications(["applications"]),
  when: [
    {
      name: "image-changed",
      expression: `request.operation == 'CREATE' || object.spec.image != oldObject.spec.image || object.spec.?${migrates} != oldObject.spec.?${migrates}`,
    },
  ],
  variables: [
    exceptions,
    {
      name: "images",
      expression: `[object.spec.image] + (object.spec.?${migrates}.hasValue() ? [object.spec.?${migrates}.orValue('')] : [])`,
    },
    ...images.variables,
  ],
  rules: images.rules,
};

const place = (key: string) => `namespaceObject.metadata.labels[?${literal(key)}]`;
const finalizer = `${literal(applicationFinalizer)}`;

/** Whose it is follows from where it is. */
export const applicationPlaces: Guardrail = {
  name: "application-places",
  reason:
    "A service's namespace holds that service, and an Application is of the team whose namespace it is in.",
  where: "managed",
  requests: applications(["applications"]),
  when: notThePlatform,
  rules: [
    {
      expression: `object.metadata.name == ${place(labels.service)}.orValue(object.metadata.name)`,
      message: "application-places: a service's own namespace holds no other service",
    },
    {
      expression: `object.spec.?team.orValue('') in ['', ${place(labels.team)}.orValue('')]`,
      message: "application-places: spec.team is the team of the namespace; leave it out",
    },
    {
      expression: `request.operation == 'CREATE' || !(${finalizer} in oldObject.metadata.?finalizers.orValue([])) || ${finalizer} in object.metadata.?finalizers.orValue([])`,
      message: `application-places: the finalizer ${applicationFinalizer} is removed by the platform alone`,
    },
  ],
};

/** What the cluster has made of an Application: people and pipelines decide by it. */
export const applicationStatus: Guardrail = {
  name: "application-status",
  reason: "The status of an Application is written by the operator alone.",
  where: "everywhere",
  requests: applications(["applications/status"]),
  rules: [
    {
      expression: `${isOperator} || ${mayManage}`,
      message: "application-status: the status of an Application is written by the platform alone",
    },
  ],
};
