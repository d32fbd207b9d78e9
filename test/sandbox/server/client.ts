import { request } from "node:http";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";

/** One answer of the server. */
export interface Answer {
  readonly status: number;
  readonly warnings: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any answer.
  readonly body: any;
}

/** Asks a sandbox over its socket, without any client code of the program. */
export function ask(
  sandbox: Pick<Sandbox, "socketPath" | "token">,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const made = request(
      {
        socketPath: sandbox.socketPath,
        path,
        method,
        headers: {
          authorization: `Bearer ${sandbox.token}`,
          "content-type": "application/json",
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const isJson = response.headers["content-type"]?.includes("json") === true;
          const warning = response.headers.warning;
          resolve({
            status: response.statusCode ?? 0,
            warnings: typeof warning === "string" ? [warning] : [],
            body: isJson && text !== "" ? JSON.parse(text) : text,
          });
        });
      },
    );
    made.on("error", reject);
    made.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Server-side apply. */
export function applyAs(
  sandbox: Pick<Sandbox, "socketPath" | "token">,
  manager: string,
  path: string,
  object: unknown,
  force = false,
): Promise<Answer> {
  const query = `fieldManager=${manager}${force ? "&force=true" : ""}`;
  return ask(sandbox, "PATCH", `${path}?${query}`, object, {
    "content-type": "application/apply-patch+yaml",
  });
}

/** Tries again until `check` throws nothing more, for at most `ms`. */
export async function eventually<T>(check: () => Promise<T> | T, ms = 10_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
