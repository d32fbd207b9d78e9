import type { Connection } from "../../src/cluster/connect.ts";

/**
 * The real API server that tests may use: any throwaway cluster's kubeconfig in PLATFORM_TEST_KUBECONFIG. Undefined
 * where there is none; the tests skip then, and say so.
 */
export function testConnection(context?: string): Connection | undefined {
  const path = process.env.PLATFORM_TEST_KUBECONFIG;
  if (path === undefined || path === "") return undefined;
  return { kind: "kubeconfig", path, ...(context === undefined ? {} : { context }) };
}

/** Why cluster tests were skipped, for the person who reads the test run. */
export const skipped =
  "skipped: PLATFORM_TEST_KUBECONFIG names no kubeconfig of a throwaway cluster (see CONTRIBUTING.md)";

/** A name that no other test of this or another process uses: a DNS label of at most 40 characters. */
export function uniqueName(prefix: string): string {
  const random = Math.random().toString(36).slice(2, 8).padEnd(6, "0");
  return `${prefix.slice(0, 24)}-${Date.now().toString(36).slice(-6)}${random}`;
}
