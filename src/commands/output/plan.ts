import type { FieldChange } from "../../application/spec-diff.ts";
import { priceText } from "../../provisioning/data-stores/price.ts";
import type { StoreTerms } from "../../provisioning/data-stores/terms.ts";
import type { PlanWithManifests } from "../../provisioning/provisioner.ts";
import { effectLabel } from "../../provisioning/runs/effect.ts";
import { serviceText } from "../../provisioning/runs/service-of-run.ts";
import type { Session } from "../session.ts";
import { outputVersion, writeDocument } from "./format.ts";
import { count, keepsData, whereKept } from "./run-result.ts";

const signs = { create: "+", change: "~", delete: "-" } as const;

/**
 * Prints a plan: `text` and `json` or `yaml` on standard output as the result of a dry run, `progress` on the error
 * stream before a question. The YAML form is the plan as comments and the manifests as documents, which kubectl reads.
 */
export async function printPlan(
  session: Session,
  planned: PlanWithManifests,
  format: "text" | "json" | "yaml" | "progress",
): Promise<void> {
  const { out, err } = session.terminal;
  const { manifests } = planned;
  if (format === "json") return writeDocument(out, "json", "plan", { ...planned });
  const text = planText(planned).join("\n");
  if (format === "progress") return err.write(`${text}\n`);
  const { toYaml } = await import("./yaml.ts");
  const documents = manifests.map((manifest) => `---\n${toYaml(manifest)}`);
  if (format === "yaml") {
    const comment = [`${outputVersion} plan`, ...planText(planned)]
      .map((line) => `# ${line}`.trimEnd())
      .join("\n");
    out.write(`${comment}\n${documents.join("")}`);
    return;
  }
  if (manifests.length === 0) out.write(`${text}\n`);
  else out.write(`${text}\n\nManifests, ${count(manifests.length, "object")}:\n${documents.join("")}`);
  err.write("Nothing was written: this is a dry run.\n");
}

/** What changes of a service, a line a field: `~ replicas: 3 → 5`. */
export function diffText(diff: readonly FieldChange[]): readonly string[] {
  return diff.map(({ field, before, after }) => {
    if (before === undefined) return `  ${signs.create} ${field}: ${after}`;
    if (after === undefined) return `  ${signs.delete} ${field}: ${before}`;
    return `  ${signs.change} ${field}: ${before} → ${after}`;
  });
}

/** Who runs a data store that a plan makes, its size, price and protection. */
function termsText({ store, runs, size, price, protection }: StoreTerms): readonly string[] {
  const [first = "", ...more] = protection;
  return [
    `  ${store === "database" ? "Database" : "Cache"}: ${runs}`,
    `    size        ${size}`,
    `    price       ${priceText(price)}`,
    `    protection  ${first}`,
    ...more.map((text) => `                ${text}`),
  ];
}

/** A plan as lines: what changes, then each step, what it needs, what it will do, what one should know. */
export function planText({
  plan,
  diff,
  protectedStores = [],
  stores = [],
}: Omit<PlanWithManifests, "manifests">): readonly string[] {
  const titles = new Map(plan.steps.map(({ id, title }) => [id, title]));
  const lines = [`Plan to ${plan.operation} ${serviceText(plan)}, ${count(plan.steps.length, "step")}`, ""];
  if (diff.length > 0) lines.push(...diffText(diff), "");
  for (const step of plan.steps) {
    const needs = step.needs.map((id) => titles.get(id) ?? id).join(", ");
    lines.push(`  ${step.title}${needs === "" ? "" : `  (after ${needs})`}`);
    for (const { action, effect } of step.effects) lines.push(`    ${signs[action]} ${effectLabel(effect)}`);
    for (const note of step.notes) lines.push(`    ▲ ${note}`);
  }
  for (const store of stores) lines.push("", ...termsText(store));
  if (protectedStores.length > 0) {
    const verb = protectedStores.length === 1 ? "is" : "are";
    lines.push(
      "",
      `  ${protectedStores.join(" and ")} ${verb} protected: --confirm ${plan.service} destroys the data.`,
    );
  }
  if (keepsData(plan)) lines.push("", `  Keeps the data stores${whereKept(plan)}.`);
  return lines;
}
