import { listAt, objectAt, textAt } from "../json.ts";

/** Items with commas, or `<none>`. */
export function joined(items: readonly string[]): string {
  return items.length === 0 ? "<none>" : items.join(",");
}

/** A label selector in one line: `app=a,b in (c,d)`. */
export function selectorOf(selector: unknown): string {
  const labels = objectAt(selector, "matchLabels") ?? {};
  const equal = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${String(labels[key])}`);
  const sets = listAt(selector, "matchExpressions").map((expression) => {
    const key = textAt(expression, "key") ?? "";
    const values = listAt(expression, "values").join(",");
    switch (textAt(expression, "operator")) {
      case "Exists":
        return key;
      case "DoesNotExist":
        return `!${key}`;
      case "NotIn":
        return `${key} notin (${values})`;
      default:
        return `${key} in (${values})`;
    }
  });
  return joined([...equal, ...sets]);
}

/** Names of the containers of a pod's spec. */
export function containersOf(spec: unknown): string {
  return listAt(spec, "containers")
    .map((container) => textAt(container, "name") ?? "")
    .join(",");
}

/** Images of the containers of a pod's spec. */
export function imagesOf(spec: unknown): string {
  return listAt(spec, "containers")
    .map((container) => textAt(container, "image") ?? "")
    .join(",");
}
