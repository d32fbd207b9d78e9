import { isObject } from "../json.ts";

const token =
  /\.?([A-Za-z0-9_-]+)|\['([^']+)'\]|\.((?:[^.[\]\\]|\\.)+)|\[(\d+|\*)\]|\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\]/y;

/**
 * The first value at a CRD's `jsonPath`: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`,
 * `.metadata.labels['a/b']`, `.metadata.labels.a\.b/c`.
 */
export function jsonPath(object: unknown, path: string): unknown {
  let current: readonly unknown[] = [object];
  token.lastIndex = 0;
  while (token.lastIndex < path.length) {
    const found = token.exec(path);
    if (found === null) return undefined;
    const [, plain, quoted, escaped, index, field, wanted] = found;
    const name = plain ?? quoted ?? escaped?.replace(/\\(.)/g, "$1");
    if (name !== undefined && !(plain !== undefined && path[token.lastIndex] === "\\")) {
      current = current.flatMap((value) =>
        isObject(value) && Object.hasOwn(value, name) ? [value[name]] : [],
      );
    } else if (name !== undefined) {
      // A name with an escaped dot: read it whole.
      const rest = /^\.?((?:[^.[\]\\]|\\.)+)/.exec(path.slice(found.index));
      if (rest?.[1] === undefined) return undefined;
      token.lastIndex = found.index + rest[0].length;
      const whole = rest[1].replace(/\\(.)/g, "$1");
      current = current.flatMap((value) =>
        isObject(value) && Object.hasOwn(value, whole) ? [value[whole]] : [],
      );
    } else if (index !== undefined) {
      current = current.flatMap((value): readonly unknown[] => {
        if (!Array.isArray(value)) return [];
        return index === "*" ? value : value.slice(Number(index), Number(index) + 1);
      });
    } else if (field !== undefined) {
      current = current.flatMap((value): readonly unknown[] =>
        Array.isArray(value)
          ? value.filter(
              (item) =>
                String(
                  field
                    .split(".")
                    .reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), item),
                ) === wanted,
            )
          : [],
      );
    }
  }
  return current[0];
}
