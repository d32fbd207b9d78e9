import { imagePattern } from "../application/patterns.ts";
import type { Expression, Rule } from "./policy.ts";

const tag = "[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}";
const digest = "sha256:[0-9a-f]{64}";

/**
 * Whether `image` is of the registry or path `r`. What follows it must begin a path component: `gcr.io/company` is not
 * `gcr.io/companyx`. A tag or digest may follow a path, and not a host alone, where it would be another host's port
 * (`gcr.io:8443/…`) or another image altogether (`gcr.io:v1` is one of Docker Hub).
 */
const isOfRegistry = [
  "image == r",
  "image.startsWith(r.endsWith('/') ? r : r + '/')",
  `(r.contains('/') && image.startsWith(r) && image.substring(size(r)).matches('^(:${tag})?(@${digest})?$'))`,
].join(" || ");

/**
 * Variables and rules about images, over the CEL variable `images` (texts); `params` are Guardrails.
 * @param excepted - CEL list of the rules that do not apply
 */
export function imageRules(excepted: string): {
  readonly variables: readonly Expression[];
  readonly rules: readonly Rule[];
} {
  const rule = (word: string, variable: string, reason: string, except = true): Rule => ({
    expression: `${except ? `'${word}' in ${excepted} || ` : ""}variables.${variable}.size() == 0`,
    message: `${word}: an image ${reason}`,
    messageExpression: `'${word}: image ' + variables.${variable}.join(', ') + ' ${reason}'`,
  });
  return {
    variables: [
      { name: "malformed", expression: `variables.images.filter(i, !i.matches(r'${imagePattern.source}'))` },
      {
        name: "chosen",
        expression: "params.spec.?images.orValue([])",
      },
      {
        name: "foreign",
        expression: `params.spec.registries.size() == 0 ? [] : variables.images.filter(image, !(image in variables.chosen) && !params.spec.registries.exists(r, ${isOfRegistry}))`,
      },
      {
        name: "undigested",
        expression: `!params.spec.imagesByDigest ? [] : variables.images.filter(i, !(i in variables.chosen) && !(i in params.spec.registries) && !i.matches('@${digest}$'))`,
      },
      {
        name: "floating",
        expression: `variables.images.filter(i, !i.matches('@${digest}$') && (!i.matches(':${tag}$') || i.endsWith(':latest')))`,
      },
    ],
    rules: [
      rule("registry", "malformed", "is no image reference", false),
      rule("registry", "foreign", "is not from a registry that the standards allow"),
      rule("digest", "undigested", "must be named by its digest (…@sha256:…) in this tier"),
      rule("tag", "floating", "must have a tag, and not latest"),
    ],
  };
}
