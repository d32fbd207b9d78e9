/** One sample of an instant vector: its labels, `__name__` too, and its value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A query as far as the simulation understands it: one metric and label matchers. */
export interface SimpleQuery {
  readonly metric: string;
  matches(labels: Readonly<Record<string, string>>): boolean;
}

const wholeQuery = /^\s*([a-zA-Z_:][\w:]*)\s*(?:\{([^{}]*)\})?\s*$/;
const matcher = /^\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*$/;

/** Undefined for a query that is more than `metric{label="value",…}`. */
export function parseQuery(text: string): SimpleQuery | undefined {
  const found = wholeQuery.exec(text);
  if (found?.[1] === undefined) return undefined;
  const tests: ((labels: Readonly<Record<string, string>>) => boolean)[] = [];
  for (const part of splitMatchers(found[2] ?? "")) {
    const [, label, operator, quoted] = matcher.exec(part) ?? [];
    if (label === undefined || quoted === undefined) return undefined;
    const value = quoted.replace(/\\(.)/g, "$1");
    if (operator === "=") tests.push((labels) => (labels[label] ?? "") === value);
    else if (operator === "!=") tests.push((labels) => (labels[label] ?? "") !== value);
    else {
      const expression = regularExpression(value);
      if (expression === undefined) return undefined;
      const wanted = operator === "=~";
      tests.push((labels) => expression.test(labels[label] ?? "") === wanted);
    }
  }
  return { metric: found[1], matches: (labels) => tests.every((test) => test(labels)) };
}

/** At commas outside quotes. */
function splitMatchers(text: string): readonly string[] {
  return text.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).filter((part) => part.trim() !== "");
}

function regularExpression(source: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    return undefined;
  }
}
