import { skipped, testConnection } from "./connection.ts";

/** Says before the tests which cluster they use, or that they skip for want of one. */
export default function announce(): void {
  const connection = testConnection();
  const line =
    connection?.kind === "kubeconfig" ? `cluster tests: ${connection.path}` : `cluster tests ${skipped}`;
  process.stderr.write(`${line}\n`);
}
