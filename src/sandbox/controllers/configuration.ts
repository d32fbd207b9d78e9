import { z } from "zod";
import type { Api, StoredObject } from "../api.ts";
import type { Container, Pod } from "./shapes.ts";

const content = z.looseObject({
  data: z.record(z.string(), z.unknown()).nullish(),
  binaryData: z.record(z.string(), z.unknown()).nullish(),
});

function keysOf(object: StoredObject): readonly string[] {
  const { data, binaryData } = content.parse(object);
  return [...Object.keys(data ?? {}), ...Object.keys(binaryData ?? {})];
}

/** What a container's environment needs and does not find, as a kubelet words it. */
export function missingConfiguration(api: Api, pod: Pod, container: Container): string | undefined {
  const namespace = pod.metadata.namespace ?? "";
  const sources = [
    { resource: "/secrets", word: "secret", title: "Secret" },
    { resource: "/configmaps", word: "configmap", title: "ConfigMap" },
  ] as const;
  for (const { resource, word, title } of sources) {
    const isSecret = word === "secret";
    for (const { valueFrom } of container.env) {
      const wanted = isSecret ? valueFrom?.secretKeyRef : valueFrom?.configMapKeyRef;
      if (wanted === undefined || wanted.optional === true) continue;
      const found = api.get(resource, namespace, wanted.name);
      if (found === undefined) return `${word} "${wanted.name}" not found`;
      if (!keysOf(found).includes(wanted.key)) {
        return `couldn't find key ${wanted.key} in ${title} ${namespace}/${wanted.name}`;
      }
    }
    for (const source of container.envFrom) {
      const wanted = isSecret ? source.secretRef : source.configMapRef;
      if (wanted === undefined || wanted.optional === true) continue;
      if (api.get(resource, namespace, wanted.name) === undefined)
        return `${word} "${wanted.name}" not found`;
    }
  }
  return undefined;
}

/** The first volume that cannot be mounted because what it shows does not exist. */
export function missingVolume(
  api: Api,
  pod: Pod,
): { readonly volume: string; readonly problem: string } | undefined {
  const namespace = pod.metadata.namespace ?? "";
  for (const { name, secret, configMap } of pod.spec.volumes) {
    if (secret !== undefined && secret.optional !== true) {
      if (api.get("/secrets", namespace, secret.secretName) === undefined) {
        return { volume: name, problem: `secret "${secret.secretName}" not found` };
      }
    }
    if (configMap !== undefined && configMap.optional !== true) {
      if (api.get("/configmaps", namespace, configMap.name) === undefined) {
        return { volume: name, problem: `configmap "${configMap.name}" not found` };
      }
    }
  }
  return undefined;
}
