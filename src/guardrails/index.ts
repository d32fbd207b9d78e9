import type { KubeObject } from "../cluster/object.ts";
import type { Standards } from "../standards/standards.ts";
import { bindings } from "./bindings.ts";
import { engineerRole } from "./engineer-role.ts";
import { operatorNamespaceRole, operatorRole, operatorSystemRole } from "./operator-role.ts";
import { type Guardrail, guardrailObjectsOf } from "./policy.ts";
import { developerRole, namespaceTeamRole, oncallRole, pipelineRole, readerRole, teamRole } from "./roles.ts";

/** Every guardrail of the platform. Each is a file. */
export const guardrails: readonly Guardrail[] = [];

/**
 * The admission policies, each followed by its binding, in the order to write them. They read Guardrails and Standards
 * as parameters, so those CRDs must be served before; and they let only the operator and who may manage guardrails
 * pass, so {@link accessObjects} come before them too. Pure.
 */
export function guardrailObjects(): readonly KubeObject[] {
  return guardrails.flatMap(guardrailObjectsOf);
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
    pipelineRole,
    readerRole,
    ...bindings(standards),
  ];
}
