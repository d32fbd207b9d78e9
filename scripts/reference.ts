/**
 * Writes docs/reference/ from the custom resource definitions, a page a kind; a unit test fails where a page says
 * anything else.
 *
 *     npm run docs:reference
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { applicationCrd } from "../src/application/crd.ts";
import type { KubeObject } from "../src/cluster/object.ts";
import { structuralSchema } from "../src/cluster/structural-schema.ts";
import { guardrailsCrd } from "../src/guardrails/crd.ts";
import { runCrd } from "../src/provisioning/runs/run-crd.ts";
import { standardsCrd } from "../src/standards/crd.ts";
import { standardsSchema } from "../src/standards/standards.ts";

const ruleSchema = z.object({ message: z.string() });

/** What is read of a structural schema. */
const nodeSchema = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
  maxItems: z.number().optional(),
  default: z.unknown().optional(),
  "x-kubernetes-int-or-string": z.boolean().optional(),
  "x-kubernetes-validations": z.array(ruleSchema).optional(),
  required: z.array(z.string()).default([]),
  get properties() {
    return z.record(z.string(), nodeSchema).optional();
  },
  get additionalProperties() {
    return nodeSchema.optional();
  },
  get items() {
    return nodeSchema.optional();
  },
});
type Node = z.output<typeof nodeSchema>;

const crdSchema = z.object({
  spec: z.object({
    group: z.string(),
    scope: z.string(),
    names: z.object({ kind: z.string(), plural: z.string(), shortNames: z.array(z.string()).default([]) }),
    versions: z.tuple([
      z.object({
        name: z.string(),
        subresources: z.record(z.string(), z.unknown()).default({}),
        additionalPrinterColumns: z.array(
          z.object({ name: z.string(), jsonPath: z.string(), priority: z.number().default(0) }),
        ),
        schema: z.object({ openAPIV3Schema: nodeSchema }),
      }),
    ]),
  }),
});

function typeOf(node: Node): string {
  if (node["x-kubernetes-int-or-string"] === true) return "integer or string";
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(", ");
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (node.additionalProperties !== undefined) return `map of ${typeOf(node.additionalProperties)}`;
  return node.format ?? node.type ?? "any";
}

function limitsOf(node: Node): readonly string[] {
  const { minimum, maximum, maxLength, maxItems, pattern } = node;
  return [
    ...(minimum === undefined
      ? []
      : [maximum === undefined ? `${minimum} or more` : `${minimum} to ${maximum}`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(maxItems === undefined ? [] : [`at most ${maxItems} entries`]),
    // A longer one says nothing to a person; the server's refusal shows it.
    ...(pattern === undefined || pattern.length > 60 ? [] : [`matches ${code(pattern)}`]),
  ];
}

const code = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;
const cell = (text: string) => text.replaceAll(/\s+/g, " ").replace(/(?<!\\)\|/g, "\\|");

function rowsOf(node: Node, path: string): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const field = path === "" ? name : `${path}.${name}`;
    const inner = child.items ?? child.additionalProperties;
    const suffix = child.items !== undefined ? "[]" : child.additionalProperties !== undefined ? ".*" : "";
    const value =
      child.default === undefined
        ? node.required.includes(name)
          ? "required"
          : ""
        : child.properties === undefined
          ? code(JSON.stringify(child.default))
          : "";
    const limits = limitsOf(child).join(", ");
    const what = [child.description, limits === "" ? undefined : `(${limits})`].filter(Boolean).join(" ");
    return [
      `| ${code(field)} | ${cell(typeOf(child))} | ${cell(value)} | ${cell(what)} |`,
      ...rowsOf(inner ?? child, `${field}${suffix}`),
    ];
  });
}

function rulesOf(node: Node): readonly string[] {
  return [
    ...(node["x-kubernetes-validations"] ?? []).map(({ message }) => message),
    ...Object.values(node.properties ?? {}).flatMap(rulesOf),
    ...(node.items === undefined ? [] : rulesOf(node.items)),
  ];
}

function section(title: string, node: Node | undefined, path: string): readonly string[] {
  if (node === undefined) return [];
  const rows = rowsOf(node, path);
  return [
    `## ${title}`,
    "",
    ...(node.description === undefined ? [] : [node.description, ""]),
    ...(rows.length === 0 ? [] : ["| field | type | default | |", "|---|---|---|---|", ...rows, ""]),
  ];
}

/** The page of one kind, as Markdown. Pure. */
function pageOf(
  crd: KubeObject,
  options: { readonly spec?: unknown; readonly example?: string } = {},
): string {
  const { group, scope, names, versions } = crdSchema.parse(crd).spec;
  const [version] = versions;
  const root = version.schema.openAPIV3Schema;
  const spec = options.spec === undefined ? root.properties?.spec : nodeSchema.parse(options.spec);
  const rules = rulesOf(root);
  const columns = version.additionalPrinterColumns.map(({ name }) => name).join(", ");
  const { plural, shortNames } = names;
  return [
    `# ${names.kind}`,
    "",
    "<!-- Made by npm run docs:reference from the schema: change that, not this. -->",
    "",
    `${root.description ?? ""} \`apiVersion: ${group}/${version.name}\`, \`kind: ${names.kind}\`; ${scope === "Namespaced" ? "in a namespace" : "one for the cluster"}.`,
    `\`kubectl get ${plural}.${group}\`${shortNames.map((short) => ` (\`${short}\`)`).join("")} shows ${columns}; \`kubectl explain ${plural}.${group}.spec\` says what follows.`,
    "",
    ...(options.example === undefined ? [] : ["```yaml", options.example.trimEnd(), "```", ""]),
    ...section("spec", spec, ""),
    ...(rules.length === 0
      ? []
      : ["Refused, with these words:", "", ...rules.map((rule) => `- ${rule}`), ""]),
    ...section("status", root.properties?.status, ""),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

const folder = new URL("../docs/reference/", import.meta.url);

/** Every page, by the name of its file. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const example = await readFile(new URL("../test/application.yaml", import.meta.url), "utf8");
  return new Map([
    ["application.md", pageOf(applicationCrd, { example })],
    ["run.md", pageOf(runCrd)],
    ["standards.md", pageOf(standardsCrd, { spec: structuralSchema(standardsSchema, { defaults: true }) })],
    ["guardrails.md", pageOf(guardrailsCrd)],
  ]);
}

if (import.meta.main) {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of await referencePages()) await writeFile(new URL(name, folder), text);
}
