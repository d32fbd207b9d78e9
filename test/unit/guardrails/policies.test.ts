import { describe, expect, test } from "vitest";
import { z } from "zod";
import { guardrailObjects, guardrails } from "../../../src/guardrails/index.ts";
import { literal } from "../../../src/guardrails/principals.ts";

const policySchema = z.object({
  kind: z.literal("ValidatingAdmissionPolicy"),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    failurePolicy: z.string(),
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
    matchResources: z.undefined().optional(),
    paramRef: z
      .object({ parameterNotFoundAction: z.string(), namespace: z.undefined().optional() })
      .optional(),
  }),
});

describe("every guardrail", () => {
  const objects = guardrailObjects({ contact: "#platform-help" });

  test("refuses, everywhere it applies, also where it cannot be computed or has lost its parameters", () => {
    expect(objects).toHaveLength(guardrails.length * 2);
    for (let index = 0; index < objects.length; index += 2) {
      const policy = policySchema.parse(objects[index]);
      const binding = bindingSchema.parse(objects[index + 1]);
      expect(policy.spec.failurePolicy).toBe("Fail");
      expect(binding.spec.policyName).toBe(policy.metadata.name);
      expect(binding.spec.validationActions).toEqual(["Deny"]);
      expect(binding.spec.paramRef?.parameterNotFoundAction).toBe(
        policy.spec.paramKind === undefined
          ? undefined
          : // What it lets pass, its pods' guardrails refuse.
            policy.metadata.name === "platform-application-images"
            ? "Allow"
            : "Deny",
      );
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
