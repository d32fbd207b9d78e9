import type { Api, ResourceKey, StoredObject } from "../api.ts";
import { ApiFailure } from "../status.ts";

/** All objects of a resource, or those of a namespace; none where the resource is not served. */
export function listed(api: Api, resource: ResourceKey, namespace?: string): readonly StoredObject[] {
  try {
    return api.list(resource, namespace === undefined ? {} : { namespace });
  } catch (error) {
    if (error instanceof ApiFailure) return [];
    throw error;
  }
}

/** An object; undefined too where its resource is not served. */
export function found(
  api: Api,
  resource: ResourceKey,
  namespace: string | undefined,
  name: string,
): StoredObject | undefined {
  try {
    return api.get(resource, namespace, name);
  } catch (error) {
    if (error instanceof ApiFailure) return undefined;
    throw error;
  }
}
