import type { ServerResponse } from "node:http";
import type { StoredObject } from "./api.ts";
import { type LogLine, logLines } from "./logs.ts";
import { failures } from "./status.ts";

/** How often a followed log is looked at. */
const followMs = 200;

/** Answers `pods/NAME/log`. @throws ApiFailure 400 for a container that has no log. */
export function sendLog(
  response: ServerResponse,
  pod: () => StoredObject | undefined,
  query: URLSearchParams,
  now: () => Date,
): void {
  const stored = pod();
  if (stored === undefined) throw failures.noSuchPath();
  const container = query.get("container") || undefined;
  const tailText = query.get("tailLines");
  const sinceText = query.get("sinceSeconds");
  let until = now();
  const first = logLines(stored, container, {
    until,
    ...(tailText === null ? {} : { tail: Number(tailText) }),
    ...(sinceText === null ? {} : { after: new Date(until.getTime() - Number(sinceText) * 1000) }),
    ...(query.get("previous") === "true" ? { previous: true } : {}),
  });
  if ("problem" in first) throw failures.badRequest(first.problem);
  const stamps = query.get("timestamps") === "true";
  const text = (lines: readonly LogLine[]) =>
    lines.map((line) => `${stamps ? `${line.at.toISOString()} ` : ""}${line.text}\n`).join("");
  response.writeHead(200, { "Content-Type": "text/plain" });
  response.write(text(first));
  const follow = query.get("follow") === "true" || query.get("follow") === "1";
  if (!follow) {
    response.end();
    return;
  }
  response.flushHeaders();
  const timer = setInterval(() => {
    const current = pod();
    const next = now();
    const lines =
      current === undefined
        ? { problem: "gone" }
        : logLines(current, container, { after: until, until: next });
    if ("problem" in lines) {
      clearInterval(timer);
      response.end();
      return;
    }
    until = next;
    if (lines.length > 0) response.write(text(lines));
  }, followMs);
  response.on("close", () => clearInterval(timer));
}
