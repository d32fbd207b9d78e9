import { stringify } from "yaml";

/**
 * A value as YAML, without aliases. A file of its own, loaded where YAML is asked for: the bundle cannot load the
 * library itself lazily by its names, as it is CommonJS.
 */
export function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false });
}
