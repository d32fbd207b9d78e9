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

/**
 * Finds out what `path` is.
 * @throws TerraformError `no-terraform` where it is none, or too old
 */
export async function findTerraform(
  environment: Readonly<Record<string, string | undefined>>,
  path = "terraform",
): Promise<TerraformBinary> {
  const mend = `install Terraform or OpenTofu ${oldest.join(".")} or later, put it into PATH, then retry`;
  const answer = await execa(path, ["version"], {
    env: terraformEnvironment(environment),
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    timeout: longestAnswerMs,
  });
  if (answer.failed) {
    throw new TerraformError(
      "no-terraform",
      `the program ${path} was not found on this machine, or does not run; nothing was changed`,
      mend,
      { cause: answer },
    );
  }
  const [, product, version = ""] = /^(Terraform|OpenTofu) v(\d+\.\d+\.\d+\S*)/m.exec(answer.stdout) ?? [];
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
