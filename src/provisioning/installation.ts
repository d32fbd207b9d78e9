import { z } from "zod";
import { labels } from "../application/names.ts";
import type { KubeObject } from "../cluster/object.ts";
import { type Standards, standardsSchema } from "../standards/standards.ts";
import { ProvisioningError } from "./errors.ts";

/** What runs of the platform's own installation name in place of a service. No service can have this name. */
export const installationSubject = "platform.company.com";

/** What begins the names of its runs: `platform-install-7f3k2`. */
export const installationRunPrefix = "platform";

/** What an installation brings, besides what every one does. */
export interface Installation {
  readonly standards: Standards;
  /** What the operator runs; left out: no operator's Deployment is written. */
  readonly image?: string;
  /** Of the program that installs. */
  readonly version?: string;
}

/** {@link Installation} as a Run's parameters hold it. */
export const installationParametersSchema = z.strictObject({
  standards: z
    .string()
    .max(200_000)
    .describe("The standards, as JSON: whoever goes on with the run works towards the same end."),
  image: z.string().max(512).optional().describe("What the operator runs; left out: there is none."),
  version: z.string().max(63).optional().describe("Version of the program that was asked."),
});
export type InstallationParameters = z.output<typeof installationParametersSchema>;

/** What a Run is to hold of an installation. Pure. */
export function installationParameters({ standards, ...rest }: Installation): InstallationParameters {
  return { standards: JSON.stringify(standards), ...rest };
}

/**
 * What a Run asks to be installed. Pure.
 * @throws ProvisioningError `refused` where its standards are none
 */
export function readInstallation({ standards, image, version }: InstallationParameters): Installation {
  const parsed = standardsSchema.safeParse(parsedJson(standards));
  if (!parsed.success) {
    throw new ProvisioningError(
      "refused",
      "the run's standards cannot be read: another version of platform wrote them",
      "install again: platform install",
    );
  }
  return {
    standards: parsed.data,
    ...(image === undefined ? {} : { image }),
    ...(version === undefined ? {} : { version }),
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an installation without an image for the operator means. */
export const withoutOperator =
  "no operator runs: no image is named (--operator-image, or operator.image in the standards); until then whoever asks for a run executes it, with the right to manage guardrails";

/** Labels of every object of the installation. */
export const installationLabels: Readonly<Record<string, string>> = {
  "app.kubernetes.io/managed-by": "platform",
  "app.kubernetes.io/part-of": "platform",
};

/** Whether an object may be the installation's: made by the platform, and for no service. Pure. */
export function isOfInstallation({ metadata }: KubeObject): boolean {
  const found = metadata.labels ?? {};
  return found["app.kubernetes.io/managed-by"] === "platform" && found[labels.service] === undefined;
}
