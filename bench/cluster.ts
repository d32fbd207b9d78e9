import { execa } from "execa";

/** The program under measurement, as installed: plain Node on the bundle. */
export const program = [process.execPath, new URL("../bin/platform.js", import.meta.url).pathname] as const;

/** The throwaway cluster to measure on. Ends the process with a sentence where there is none. */
export function benchKubeconfig(): string {
  const path = process.env.PLATFORM_TEST_KUBECONFIG;
  if (path === undefined || path === "") {
    console.error(
      "set PLATFORM_TEST_KUBECONFIG to the kubeconfig of a throwaway cluster; benchmarks write to it",
    );
    process.exit(2);
  }
  return path;
}

/** Milliseconds a whole process takes, from spawn to exit. Rejects where it fails. */
export async function timeProcess(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const [file = "", ...args] = command;
  const started = performance.now();
  await execa(file, args, { env, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  return performance.now() - started;
}
