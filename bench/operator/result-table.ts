import { markdownTable, milliseconds, quantile } from "../statistics.ts";
import type { Measured } from "./measure.ts";
import { childrenEach } from "./observer.ts";

/** The platform beside its peer, with how much of the peer's each figure is; either may not have been measured. */
export function resultTable(ours: Measured | undefined, peers: Measured | undefined): string {
  const rows: string[][] = [];
  const row = (
    title: string,
    value: (measured: Measured) => number,
    shown: (value: number) => string,
    compared = true,
  ) => {
    const [one, other] = [ours, peers].map((measured) =>
      measured === undefined ? undefined : value(measured),
    );
    rows.push([
      title,
      one === undefined ? "" : shown(one),
      other === undefined ? "" : shown(other),
      compared && one !== undefined && other !== undefined ? (one / other).toFixed(2) : "",
    ]);
  };
  const whole = (value: number) => String(Math.round(value));
  const mebibytes = (value: number) => `${whole(value)} MiB`;
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  row("all children there", ({ allChildren }) => allChildren, milliseconds);
  const childrenASecond = ({ size, allChildren }: Measured) => (childrenEach * size * 1_000) / allChildren;
  row("children a second", childrenASecond, whole);
  row("half of them Ready", ({ halfReady }) => halfReady, milliseconds);
  row("all Ready", ({ allReady }) => allReady, milliseconds);
  row(
    "writes for each",
    ({ writesEach }) => writesEach,
    (value) => value.toFixed(2),
  );
  row("CPU until then", ({ filling }) => filling.cpu, seconds);
  row("the API server's CPU meanwhile", ({ serverCpu }) => serverCpu, seconds);
  for (const [title, value] of [
    ["new one to its last child", ({ created }: Measured) => created],
    ["change to Deployment", ({ changed }: Measured) => changed],
    ["changed Deployment repaired", ({ repaired }: Measured) => repaired],
    ["deleted Service made again", ({ remade }: Measured) => remade],
  ] as const) {
    row(`${title}, p50`, (measured) => quantile(value(measured).took, 0.5), milliseconds);
    row(`${title}, p99`, (measured) => quantile(value(measured).took, 0.99), milliseconds);
    row("the operator's reconciles meanwhile, p99", (measured) => value(measured).reconcile, milliseconds);
  }
  row(
    "share of a core meanwhile",
    ({ steadyLoad }) => steadyLoad,
    (value) => `${whole(100 * value)} %`,
  );
  row("restart until calm", ({ restart }) => restart, milliseconds);
  row("a look at everything, reconciles p99", ({ resyncReconcile }) => resyncReconcile, milliseconds);
  row("writes of a restart", ({ restartWrites }) => restartWrites, whole, false);
  row("peak memory", ({ whole: { memory } }) => memory, mebibytes);
  return markdownTable(["", "platform", "controller-runtime", "ratio"], rows);
}
