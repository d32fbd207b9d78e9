import type { IncomingMessage } from "node:http";
import { parse } from "yaml";
import type { DeleteOptions } from "./deletion.ts";
import { isObject, numberAt, textAt } from "./json.ts";
import { fromProtobuf } from "./protobuf.ts";
import type { WriteContext } from "./registry.ts";
import { failures } from "./status.ts";

const largest = 3 * 1024 * 1024;

/** The whole body as bytes. @throws ApiFailure 413 above 3 MiB. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > largest) throw failures.tooLarge(`Request entity too large: limit is ${largest}`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** The media type of a body, without parameters. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** A body of JSON, YAML or Kubernetes protobuf as a value. @throws ApiFailure 400. */
export function parsedBody(body: Buffer, type: string): unknown {
  const text = body.toString("utf8");
  if (type === "application/vnd.kubernetes.protobuf") return fromProtobuf(body);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!type.includes("yaml")) {
      throw failures.badRequest(
        `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : ""}`,
      );
    }
  }
  try {
    return parse(text);
  } catch (error) {
    throw failures.badRequest(
      `error converting YAML to JSON: ${error instanceof Error ? error.message : ""}`,
    );
  }
}

/** What a write carries in its query and headers. @throws ApiFailure 400. */
export function writeContext(
  request: IncomingMessage,
  query: URLSearchParams,
  warn: (text: string) => void,
): WriteContext {
  const dryRun = query.get("dryRun");
  if (dryRun !== null && dryRun !== "" && dryRun !== "All") {
    throw failures.badRequest(
      `dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    );
  }
  const validation = query.get("fieldValidation");
  const agent = request.headers["user-agent"] ?? "unknown";
  return {
    manager: query.get("fieldManager") || agent.split("/")[0] || "unknown",
    dryRun: dryRun === "All",
    fieldValidation: validation === "Strict" || validation === "Ignore" ? validation : "Warn",
    warn,
  };
}

/** DeleteOptions of the body or, for what it leaves out, of the query. */
export function deleteOptions(
  body: unknown,
  query: URLSearchParams,
): DeleteOptions & { readonly dryRun: boolean } {
  const policy = textAt(body, "propagationPolicy") ?? query.get("propagationPolicy");
  const orphan = isObject(body) && body.orphanDependents === true ? "Orphan" : undefined;
  const propagation =
    policy === "Foreground" || policy === "Background" || policy === "Orphan" ? policy : orphan;
  const graceText = query.get("gracePeriodSeconds");
  const grace = numberAt(body, "gracePeriodSeconds") ?? (graceText === null ? undefined : Number(graceText));
  const uid = textAt(body, "preconditions", "uid");
  const resourceVersion = textAt(body, "preconditions", "resourceVersion");
  const dryRuns = isObject(body) && Array.isArray(body.dryRun) ? body.dryRun : [];
  return {
    ...(propagation === undefined ? {} : { propagation }),
    ...(grace === undefined ? {} : { grace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    dryRun: dryRuns.includes("All") || query.get("dryRun") === "All",
  };
}
