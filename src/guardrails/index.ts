import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { bindings } from "./bindings.ts";
import { databaseAccess } from "./database-access.ts";
import { engineerRole } from "./engineer-role.ts";
import { operatorNamespaceRole, operatorRole, operatorSystemRole } from "./operator-role.ts";
import { applicationImages, applicationPlaces, applicationStatus } from "./policies/applications.ts";
import { exceptionsAreMade, fences, quotaStatus } from "./policies/fences.ts";
import { cronJobLabels, managedObjects, objectLabels, scale, templateLabels } from "./policies/labels.ts";
import { namespaces } from "./policies/namespaces.ts";
import { operatorBindings, operatorNamespaces, operatorReach } from "./policies/operator.ts";
import { cronJobs, ephemeralContainers, jobs, podImages, pods, workloads } from "./policies/pods.ts";
import { runActions, runJournals, runOwnership, runRequests, runTeams } from "./policies/runs.ts";
import { ownSecrets } from "./policies/secrets.ts";
import { routes, services } from "./policies/services.ts";
import { shells } from "./policies/shells.ts";
import { type Guardrail, guardrailObjectsOf } from "./policy.ts";
import {
  developerRole,
  namespaceTeamRole,
  oncallRole,
  pipelineNamespaceRole,
  pipelineRole,
  pipelineTokenRole,
  readerRole,
  standardsRole,
  teamRole,
} from "./roles.ts";
import { stateAccess } from "./state-access.ts";

/** Every guardrail of the platform. Each is a file. */
export const guardrails: readonly Guardrail[] = [
  namespaces,
  fences,
  quotaStatus,
  exceptionsAreMade,
  objectLabels,
  templateLabels,
  cronJobLabels,
  managedObjects,
  scale,
  pods,
  podImages,
  workloads,
  jobs,
  cronJobs,
  ephemeralContainers,
  services,
  routes,
  shells,
  ownSecrets,
  applicationImages,
  applicationPlaces,
  applicationStatus,
  runRequests,
  runOwnership,
  runTeams,
  runActions,
  runJournals,
  operatorReach,
  operatorNamespaces,
  operatorBindings,
];

/**
 * The admission policies, each followed by what binds it, in the order to write them. They read Guardrails and Standards
 * as parameters, so those CRDs must be served before; and they let only the operator and who may manage guardrails
 * pass, so {@link accessObjects} come before them too. Pure.
 */
export function guardrailObjects({ contact }: Pick<Standards, "contact">): readonly KubeObject[] {
  return guardrails.flatMap((guardrail) => guardrailObjectsOf(guardrail, contact));
}

/** The shipped roles, then who holds them. `platform-system` must exist. Pure. */
export function accessObjects(standards: Standards): readonly KubeObject[] {
  return [
    operatorRole(standards),
    operatorNamespaceRole,
    operatorSystemRole,
    engineerRole,
    developerRole(standards),
    oncallRole(standards),
    teamRole,
    namespaceTeamRole,
    pipelineNamespaceRole,
    pipelineTokenRole,
    pipelineRole,
    standardsRole,
    readerRole,
    ...bindings(standards),
    ...stateAccess(standards),
    ...databaseAccess(standards),
  ];
}
