import type { Api, StoredObject } from "../api.ts";
import { equal } from "../json.ts";

/**
 * The same API, but writes that would change nothing end here: level-triggered controllers look far more often than
 * they change something, and a write is decoded, validated and compared field by field before it turns out empty.
 */
export function frugal(api: Api): Api {
  const stored = (resource: string, { metadata }: StoredObject) =>
    api.get(resource, metadata.namespace, metadata.name);
  const withoutStatus = ({ status: _status, ...rest }: StoredObject) => rest;
  return {
    ...api,
    update(resource, object) {
      const known = stored(resource, object);
      return known !== undefined && equal(withoutStatus(known), withoutStatus(object))
        ? known
        : api.update(resource, object);
    },
    updateStatus(resource, object) {
      const known = stored(resource, object);
      return known !== undefined && equal(known.status, object.status)
        ? known
        : api.updateStatus(resource, object);
    },
  };
}
