import { randomInt } from "node:crypto";
import { z } from "zod";
import type { StoredObject } from "../api.ts";
import { withCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between, hash } from "./names.ts";
import { conditionsStatusShape, typed } from "./shapes.ts";
import { nowText, type Simulation, Stages } from "./simulation.ts";

const requests = "external-secrets.io/externalsecrets";
const pushes = "external-secrets.io/pushsecrets";
const stores = "external-secrets.io/clustersecretstores";
const passwords = "generators.external-secrets.io/passwords";
const secrets = "/secrets";
const component = "external-secrets";

/** Where the sandbox keeps what would be in a store outside of the cluster. */
const outside = "external-secrets";
const finalizer = "pushsecret.externalsecrets.io/finalizer";

const generatorRef = z.looseObject({ name: z.string().default("") });
const remoteRef = z.looseObject({ key: z.string().default(""), property: z.string().default("") });
const requestSpec = z.looseObject({
  secretStoreRef: z.looseObject({ name: z.string().default("") }).optional(),
  target: z
    .looseObject({
      name: z.string().optional(),
      immutable: z.boolean().default(false),
      template: z
        .looseObject({
          type: z.string().default("Opaque"),
          data: z.record(z.string(), z.string()).default({}),
        })
        .optional(),
    })
    .prefault({}),
  data: z.array(z.looseObject({ secretKey: z.string(), remoteRef })).default([]),
  dataFrom: z
    .array(z.looseObject({ sourceRef: z.looseObject({ generatorRef: generatorRef.optional() }).optional() }))
    .default([]),
});
const pushSpec = z.looseObject({
  deletionPolicy: z.string().default("None"),
  updatePolicy: z.string().default("Replace"),
  secretStoreRefs: z.array(z.looseObject({ name: z.string().default("") })).default([]),
  selector: z.looseObject({ generatorRef: generatorRef.optional() }).prefault({}),
  data: z
    .array(
      z.looseObject({
        match: z.looseObject({
          secretKey: z.string().default(""),
          remoteRef: z.looseObject({ remoteKey: z.string() }),
        }),
      }),
    )
    .default([]),
});
const passwordSpec = z.looseObject({ length: z.int().default(24) });

const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** What a reconciliation comes to: what is missing, or nothing. */
type Missing = string | undefined;

/** What a Secret is to be made of, or what is missing for that. */
type Found = { readonly values: Readonly<Record<string, string>> } | { readonly missing: string };

/**
 * Makes Secrets as External Secrets Operator does with `CreatedOnce`: of passwords that it generates, and of what is in
 * a store. A store outside of the cluster is Secrets in a namespace of its own.
 */
export function externalSecretsController(simulation: Simulation): Controller {
  const { api, events } = simulation;
  const stages = new Stages(simulation);

  function generated(namespace: string, name: string): string | undefined {
    const generator = api.get(passwords, namespace, name);
    if (generator === undefined) return undefined;
    const { length } = passwordSpec.parse(generator.spec ?? {});
    return Array.from({ length }, () => characters[randomInt(characters.length)]).join("");
  }

  function finish(resource: typeof requests | typeof pushes, stored: StoredObject, missing: Missing) {
    const { status, metadata } = typed(stored, z.unknown(), conditionsStatusShape);
    const condition =
      missing === undefined
        ? ({ type: "Ready", status: "True", reason: "SecretSynced", message: "secret synced" } as const)
        : ({ type: "Ready", status: "False", reason: "SecretSyncedError", message: missing } as const);
    if (stages.enters(metadata.uid, condition.reason)) {
      const type = missing === undefined ? "Normal" : "Warning";
      events.record(stored, type, condition.reason, condition.message, component);
    }
    const now = nowText(simulation);
    const conditions = withCondition(status.conditions, condition, now);
    const synced = missing === undefined ? { refreshTime: now, syncedResourceVersion: "1-simulated" } : {};
    api.updateStatus(resource, { ...stored, status: { ...status, ...synced, conditions } });
  }

  function valuesOf(stored: StoredObject): Found {
    const { namespace = "" } = stored.metadata;
    const spec = requestSpec.parse(stored.spec ?? {});
    const values: Record<string, string> = {};
    for (const { sourceRef } of spec.dataFrom) {
      const password = generated(namespace, sourceRef?.generatorRef?.name ?? "");
      if (password === undefined) return { missing: "could not get the generator Password" };
      values.password = password;
    }
    for (const { secretKey, remoteRef: remote } of spec.data) {
      const store = spec.secretStoreRef?.name ?? "";
      if (api.get(stores, undefined, store) === undefined) {
        return { missing: `could not get ClusterSecretStore "${store}"` };
      }
      const kept = api.get(secrets, outside, outsideName(store, remote.key));
      const value = kept && z.record(z.string(), z.string()).parse(kept.data ?? {})[remote.property];
      if (value === undefined) return { missing: `error retrieving secret at .data[0], key: ${remote.key}` };
      values[secretKey] = Buffer.from(value, "base64").toString("utf8");
    }
    return { values };
  }

  function synchronise(key: string): number | undefined {
    const { namespace, name } = parseKey(key);
    const stored = api.get(requests, namespace, name);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
    const { status, metadata } = typed(stored, z.unknown(), conditionsStatusShape);
    if (status.conditions.some(({ type, status: now }) => type === "Ready" && now === "True"))
      return undefined;
    const left = stages.left(`${metadata.uid}/first`, "reading", between(metadata.uid, 500, 1500));
    if (left > 0) return left;
    const found = valuesOf(stored);
    if ("missing" in found) {
      finish(requests, stored, found.missing);
      return 2000;
    }
    const { values } = found;
    const { target } = requestSpec.parse(stored.spec ?? {});
    const secret = target.name ?? name;
    if (api.get(secrets, namespace, secret) === undefined) {
      const data = Object.fromEntries(
        Object.entries(target.template?.data ?? values).map(([field, text]) => [
          field,
          Buffer.from(filled(String(text), values), "utf8").toString("base64"),
        ]),
      );
      api.create(secrets, {
        apiVersion: "v1",
        kind: "Secret",
        type: target.template?.type ?? "Opaque",
        ...(target.immutable ? { immutable: true } : {}),
        metadata: {
          name: secret,
          namespace,
          labels: { "reconcile.external-secrets.io/managed": "true" },
          annotations: { "reconcile.external-secrets.io/data-hash": String(hash(JSON.stringify(data))) },
        },
        data,
      });
    }
    finish(requests, stored, undefined);
    return undefined;
  }

  function push(key: string): number | undefined {
    const { namespace = "", name } = parseKey(key);
    const stored = api.get(pushes, namespace, name);
    if (stored === undefined) return undefined;
    const spec = pushSpec.parse(stored.spec ?? {});
    const places = spec.secretStoreRefs.flatMap((store) =>
      spec.data.map(({ match }) => ({ match, store: store.name })),
    );
    const { finalizers = [], deletionTimestamp } = stored.metadata;
    if (deletionTimestamp !== undefined) {
      if (!finalizers.includes(finalizer)) return undefined;
      for (const { match, store } of places) {
        const kept = outsideName(store, match.remoteRef.remoteKey);
        if (api.get(secrets, outside, kept) !== undefined) api.delete(secrets, outside, kept);
      }
      const rest = finalizers.filter((each) => each !== finalizer);
      api.update(pushes, { ...stored, metadata: { ...stored.metadata, finalizers: rest } });
      return undefined;
    }
    const { status } = typed(stored, z.unknown(), conditionsStatusShape);
    if (status.conditions.some(({ type, status: now }) => type === "Ready" && now === "True"))
      return undefined;
    if (spec.deletionPolicy === "Delete" && !finalizers.includes(finalizer)) {
      api.update(pushes, {
        ...stored,
        metadata: { ...stored.metadata, finalizers: [...finalizers, finalizer] },
      });
      return 0;
    }
    const password = generated(namespace, spec.selector.generatorRef?.name ?? "");
    const unknown = places.find(({ store }) => api.get(stores, undefined, store) === undefined);
    if (password === undefined || unknown !== undefined) {
      finish(
        pushes,
        stored,
        unknown === undefined
          ? "could not get source secret"
          : `could not get ClusterSecretStore "${unknown.store}"`,
      );
      return 2000;
    }
    for (const { match, store } of places) {
      const kept = outsideName(store, match.remoteRef.remoteKey);
      if (api.get(secrets, outside, kept) !== undefined) continue;
      api.create(secrets, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: kept, namespace: outside },
        data: { [match.secretKey]: Buffer.from(password, "utf8").toString("base64") },
      });
    }
    finish(pushes, stored, undefined);
    return undefined;
  }

  return {
    name: "external-secrets",
    resources: [requests, pushes],
    *concerns({ type, resource, object }) {
      if (type === "DELETED") return;
      if (resource === requests) yield keyOf(object);
      if (resource === pushes) yield `${pushMark}${keyOf(object)}`;
    },
    reconcile(key) {
      return key.startsWith(pushMark) ? push(key.slice(pushMark.length)) : synchronise(key);
    },
  };
}

/** Tells keys of PushSecrets from those of ExternalSecrets. */
const pushMark = "push:";

function outsideName(store: string, key: string): string {
  return `${store}.${key.toLowerCase().replaceAll("_", ".")}`;
}

function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (_, name: string) => values[name] ?? "");
}
