import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { referencePages } from "../../../scripts/reference.ts";
import { applicationCrd } from "../../../src/application/crd.ts";

test("the reference says what the schemas say (npm run docs:reference writes it again)", async () => {
  for (const [name, text] of await referencePages()) {
    const page = await readFile(new URL(`../../../docs/reference/${name}`, import.meta.url), "utf8");
    expect(page, name).toBe(text);
  }
});

const nodeSchema = z.looseObject({
  description: z.string().optional(),
  get properties() {
    return z.record(z.string(), nodeSchema).optional();
  },
  get items() {
    return nodeSchema.optional();
  },
});
type Node = z.output<typeof nodeSchema>;

/** Paths of the fields below a node that say nothing of themselves. */
function unexplained({ properties = {}, items }: Node, path: string): readonly string[] {
  const own = Object.entries(properties).flatMap(([name, field]) => [
    ...(field.description === undefined ? [`${path}.${name}`] : []),
    ...unexplained(field, `${path}.${name}`),
  ]);
  return items === undefined ? own : [...own, ...unexplained(items, `${path}[]`)];
}

test("kubectl explain has words for every field of an Application", () => {
  const { versions } = z
    .object({
      versions: z.array(z.object({ schema: z.object({ openAPIV3Schema: nodeSchema }) })),
    })
    .parse(applicationCrd.spec);
  const { spec, status } = versions[0]?.schema.openAPIV3Schema.properties ?? {};
  for (const [name, field] of Object.entries({ spec, status })) {
    expect(Object.keys(field?.properties ?? {}).length, name).toBeGreaterThan(3);
    expect(field === undefined ? [] : unexplained(field, name)).toEqual([]);
  }
});
