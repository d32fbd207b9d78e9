import { execa } from "execa";
import { terraformEnvironment } from "./environment.ts";
import { TerraformError } from "./error.ts";

/** A program that plans and applies. */
export interface TerraformBinary {
  /** A path, or a name looked up in PATH. */
  readonly path: string;
  readonly product: "Terraform" | "OpenTofu";
  /** For example `1.11.4`. */
  readonly version: string;
}

/** Both learned write-only arguments with this one. */
const oldest = [1, 11] as const;
const longestAnswerMs = 30_000;

/** What they are called in PATH; the first that is there is used. */
const programs = ["terraform", "tofu"] as const;

const mend = `install Terraform or OpenTofu ${oldest.join(".")} or later, put it into PATH, then retry`;

/**
 * Finds the program that plans and applies.
 * @throws TerraformError `no-terraform` where there is none, or the one that is there is too old
 */
export async function findTerraform(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TerraformBinary> {
  let cause: unknown;
  for (const path of programs) {
    const answer = await execa(path, ["version"], {
      env: terraformEnvironment(environment),
      extendEnv: false,
      reject: false,
      stdin: "ignore",
      timeout: longestAnswerMs,
    });
    if (!answer.failed) return binaryFrom(path, answer.stdout);
    cause ??= answer;
  }
  throw new TerraformError(
    "no-terraform",
    `neither ${programs.join(" nor ")} was found on this machine, or it does not run; nothing was changed`,
    mend,
    { cause },
  );
}

/** @throws TerraformError */
function binaryFrom(path: string, said: string): TerraformBinary {
  const [, product, version = ""] = /^(Terraform|OpenTofu) v(\d+\.\d+\.\d+\S*)/m.exec(said) ?? [];
  if (product !== "Terraform" && product !== "OpenTofu") {
    throw new TerraformError("no-terraform", `the program ${path} is neither Terraform nor OpenTofu`, mend);
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new TerraformError(
      "no-terraform",
      `${product} ${version} is too old: it cannot keep passwords out of its state; nothing was changed`,
      mend,
    );
  }
  return { path, product, version };
}
