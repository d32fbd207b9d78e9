import { describe, expect, test } from "vitest";
import { z } from "zod";
import { guardrailObjects, guardrails } from "../../../src/guardrails/index.ts";
import { literal } from "../../../src/guardrails/principals.ts";

const policySchema = z.object({
  kind: z.literal("ValidatingAdmissionPolicy"),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    failurePolicy: z.string(),
    matchConstraints: z.object({
      resourceRules: z.array(z.object({ operations: z.array(z.string()) })),
    }),
    paramKind: z.unknown().optional(),
    validations: z.array(
      z.object({
        message: z.string(),
        messageExpression: z.string().optional(),
        expression: z.string(),
        reason: z.string(),
      }),
    ),
  }),
});
const bindingSchema = z.object({
  kind: z.literal("ValidatingAdmissionPolicyBinding"),
  spec: z.object({
    policyName: z.string(),
    validationActions: z.array(z.string()),
    matchResources: z
      .object({ resourceRules: z.array(z.object({ operations: z.array(z.string()) })) })
      .optional(),
    paramRef: z
      .object({ parameterNotFoundAction: z.string(), namespace: z.undefined().optional() })
      .optional(),
  }),
});

const parsedPolicy = (object: unknown) => policySchema.parse(object);
const parsedBinding = (object: unknown) => bindingSchema.parse(object);

describe("every guardrail", () => {
  const objects = guardrailObjects({ contact: "#platform-help" });

  const policies = objects.filter(({ kind }) => kind === "ValidatingAdmissionPolicy").map(parsedPolicy);
  const bindings = objects.filter(({ kind }) => kind.endsWith("Binding")).map(parsedBinding);
  const bindingsOf = (policy: string) => bindings.filter(({ spec }) => spec.policyName === policy);

  test("refuses, everywhere it applies, also where it cannot be computed", () => {
    expect(policies).toHaveLength(guardrails.length);
    for (const { metadata, spec } of policies) {
      expect(spec.failurePolicy).toBe("Fail");
      const own = bindingsOf(metadata.name).map((binding) => binding.spec);
      for (const { validationActions } of own) expect(validationActions).toEqual(["Deny"]);
      const judged = spec.matchConstraints.resourceRules.flatMap(({ operations }) => operations);
      const bound = own.flatMap(({ matchResources }) =>
        matchResources === undefined
          ? judged
          : matchResources.resourceRules.flatMap(({ operations }) => operations),
      );
      expect(new Set(bound), metadata.name).toEqual(new Set(judged));
    }
  });

  test("lets nothing be made where it has lost its parameters", () => {
    for (const { metadata, spec } of policies.filter(({ spec }) => spec.paramKind !== undefined)) {
      for (const { spec: binding } of bindingsOf(metadata.name)) {
        const rules = (binding.matchResources ?? spec.matchConstraints).resourceRules;
        const changesOnly = rules.every(({ operations }) => operations.join() === "UPDATE");
        expect(binding.paramRef?.parameterNotFoundAction, metadata.name).toBe(changesOnly ? "Allow" : "Deny");
      }
    }
  });

  test("says which rule refuses and whom to ask", () => {
    for (const object of objects.filter(({ kind }) => kind === "ValidatingAdmissionPolicy")) {
      const { validations } = policySchema.parse(object).spec;
      for (const { message, messageExpression = message, reason } of validations) {
        expect(message).toMatch(/^[a-z][-a-z]+: .*; ask #platform-help$/);
        expect(messageExpression).toContain("ask #platform-help");
        expect(reason).toBe("Forbidden");
      }
    }
  });

  test("has a name of its own", () => {
    const names = guardrails.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("no contact can end the text it stands in", () => {
  const contact = 'a "friend" \\ of ours';
  const [policy] = guardrailObjects({ contact }).filter(({ metadata }) => metadata.name === "platform-pods");
  const expressions = policySchema
    .parse(policy)
    .spec.validations.flatMap(({ messageExpression }) => messageExpression ?? []);
  expect(expressions[0]).toContain(`+ ${JSON.stringify(`; ask ${contact}`)}`);
  expect(() => literal("it's")).toThrow();
});
