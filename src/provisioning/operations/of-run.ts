import { z } from "zod";
import { changeParametersSchema, type ServiceChange, serviceChangeSchema } from "../../application/change.ts";
import { inNamespace } from "../../application/from-request.ts";
import { serviceNameSchema } from "../../application/names.ts";
import { hasOwnNamespace, refText } from "../../application/service-ref.ts";
import { find } from "../../cluster/find.ts";
import { resources } from "../../cluster/resource.ts";
import type { Rotatable } from "../../secrets/rotation.ts";
import { ProvisioningError } from "../errors.ts";
import { readInstallation } from "../installation.ts";
import { type ChangeOperation, isInstallation, type PlannedChange } from "../plan.ts";
import type { RunSpec } from "../runs/run-record.ts";
import { serviceOfRun } from "../runs/service-of-run.ts";
import type { PlanContext } from "../step.ts";
import { changeContext, contextOfChange } from "./change.ts";
import { createContext } from "./create.ts";
import { backupContext, importContext, rotateContext } from "./data-stores.ts";
import { deleteContext } from "./delete.ts";
import { cleanupContext, installationContext, nominalContext } from "./nominal.ts";
import { provisionContext } from "./provision.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * The context of what is asked for, and nobody has begun with: from the request, and what is there now.
 * @throws ProvisioningError, RefusedInput: see the contexts of each operation
 */
export async function requestedContext(
  { operation, service, sharedNamespace, team, parameters }: Omit<RunSpec, "requestedBy">,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { request, dataStores, confirmed } = parameters;
  const name = serviceNameSchema.parse(service);
  const placed = { ...serviceOfRun({ service, sharedNamespace }), name };
  const mayShare = operation === "delete" || operation === "provision";
  if (sharedNamespace !== undefined && (!mayShare || hasOwnNamespace(placed))) {
    throw new ProvisioningError(
      "refused",
      `a ${operation} of ${service} in its own namespace names none, and this run names ${sharedNamespace}`,
      "make another run",
    );
  }
  const context = await (async () => {
    switch (operation) {
      case "create":
        if (request !== undefined) return createContext(request, surroundings);
        throw new ProvisioningError("refused", `the run of ${service} has no request`, "make another run");
      case "delete":
        return deleteContext(placed, dataStores ?? "keep-used", surroundings);
      case "cleanup":
        return cleanupContext({ service, team, parameters }, surroundings);
      case "provision":
        return provisionContext(placed, team, surroundings);
      case "rotate":
        return rotateContext(name, credentialOf(service, parameters), surroundings);
      case "backup":
      case "restore":
        return backupContext(name, backupsAsked(operation, parameters), surroundings);
      case "import":
        return importContext(name, sourceOf(service, parameters), surroundings);
      case "install":
      case "uninstall":
        throw new ProvisioningError(
          "refused",
          `the operator does not ${operation} the platform: it may not change its own rights`,
        );
      default: {
        const change = changeOf(operation, parameters);
        return changeContext(name, change, dataStores ?? "keep", surroundings);
      }
    }
  })();
  if (context.application.spec.team !== team) {
    throw new ProvisioningError(
      "refused",
      `${refText(placed)} is not of team ${team}, as the run says`,
      "make another run",
    );
  }
  return { ...context, ...(confirmed === undefined ? {} : { confirmed }) };
}

/**
 * The context of a run that exists, from its spec and what its plan fixed: any process can go on with it.
 * @param planned - unset where no engine has taken the run yet
 */
export async function contextOf(
  spec: RunSpec,
  planned: PlannedChange | undefined,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { confirmed, credential, from } = spec.parameters;
  const context = await unconfirmedContextOf(spec, planned, surroundings);
  const { operation } = spec;
  return {
    ...context,
    ...(operation === "backup" || operation === "restore"
      ? { backups: backupsAsked(operation, spec.parameters) }
      : {}),
    ...(operation !== "import" || from === undefined ? {} : { importing: { from } }),
    ...(confirmed === undefined ? {} : { confirmed }),
    ...(credential === undefined ? {} : { credential }),
  };
}

async function unconfirmedContextOf(
  spec: RunSpec,
  planned: PlannedChange | undefined,
  surroundings: Surroundings,
): Promise<PlanContext> {
  const { operation } = spec;
  const { dataStores, installation } = spec.parameters;
  if (isInstallation(operation)) {
    return installationContext(
      installation === undefined ? { standards: surroundings.standards } : readInstallation(installation),
      surroundings,
    );
  }
  if (operation === "delete") {
    const service = serviceNameSchema.parse(spec.service);
    const choice = dataStores === "delete" ? "delete" : "keep";
    const context = nominalContext(service, spec.team, surroundings);
    const application = inNamespace(context.application, serviceOfRun(spec).namespace);
    return { ...context, application, change: planned ?? {}, dataStores: choice };
  }
  if (planned?.after === undefined) return requestedContext(spec, surroundings);
  const { after } = planned;
  const service = serviceNameSchema.parse(spec.service);
  const ref = serviceOfRun(spec);
  const uid = (await find(surroundings.cluster, resources.applications, ref))?.metadata.uid;
  const existing = { dataStores, uid, namespace: ref.namespace };
  return contextOfChange(service, { ...planned, after }, existing, surroundings);
}

/** @throws ProvisioningError `refused` where the parameters are not those of a rotation */
function credentialOf(service: string, { credential }: RunSpec["parameters"]): Rotatable {
  if (credential !== undefined) return credential;
  throw new ProvisioningError(
    "refused",
    `the run of ${service} does not say which credentials it is about`,
    "make another run",
  );
}

/** @throws ProvisioningError `refused` where the parameters are not those of an import */
function sourceOf(service: string, { from }: RunSpec["parameters"]): string {
  if (from !== undefined) return from;
  throw new ProvisioningError(
    "refused",
    `the run of ${service} does not say what it imports from`,
    "make another run",
  );
}

/** What a run's parameters say of backups. Pure. */
export function backupsAsked(
  operation: "backup" | "restore",
  { backup, toTime }: Pick<RunSpec["parameters"], "backup" | "toTime">,
): NonNullable<PlanContext["backups"]> {
  return {
    operation,
    ...(backup === undefined ? {} : { restore: backup }),
    ...(toTime === undefined ? {} : { toTime }),
  };
}

/** A run's parameters, as far as they are a change's. */
const changeFields = z.object(changeParametersSchema.shape);

/** @throws ProvisioningError `refused` where the parameters are not those of the operation */
function changeOf(operation: ChangeOperation, parameters: RunSpec["parameters"]): ServiceChange {
  const parsed = serviceChangeSchema.safeParse({ operation, ...changeFields.parse(parameters) });
  if (parsed.success) return parsed.data;
  throw new ProvisioningError(
    "refused",
    `a ${operation} cannot have these parameters: ${parsed.error.issues[0]?.message ?? ""}`,
    "make another run",
  );
}
