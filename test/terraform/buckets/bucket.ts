import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";
import type { BucketPlace } from "../../../src/terraform/bucket-check.ts";

/** The bucket that there is. */
export const bucketName = "acme-states";

/** One object as it is stored. */
export interface StoredObject {
  readonly body: Buffer;
  /** Counts all writes to the bucket. */
  readonly generation: number;
  /** What came with it. */
  readonly headers: IncomingHttpHeaders;
}

/** One write, before it is obeyed. */
export interface Write {
  readonly method: "put" | "delete";
  readonly name: string;
}

/** What a test does about a write: it may take its time, and refuse it. */
export type Meanwhile = (write: Write) => Promise<"refused" | undefined> | "refused" | undefined;

/** A bucket that Terraform keeps states in, on a server of the test's own. */
export interface Bucket extends AsyncDisposable {
  readonly place: BucketPlace;
  /** For the environment of Terraform's process: where the server is. */
  readonly endpoint: Readonly<Record<string, string>>;
  /** For this program's environment, as whoever runs it has them: what the server takes. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly objects: Map<string, StoredObject>;
  /** All that it was ever sent, in whole requests. */
  readonly received: readonly string[];
  /** What meets each write from now on. */
  meet(meanwhile: Meanwhile | undefined): void;
}

/** One request, whole. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What is said to it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** The objects of a bucket: what a protocol reads and writes. */
export class Objects {
  readonly stored = new Map<string, StoredObject>();
  readonly received: string[] = [];
  meanwhile: Meanwhile | undefined;
  #generation = 0;

  /**
   * Writes one where `may` lets it, asked together with the write.
   * @returns undefined where it does not
   */
  async put(
    name: string,
    object: Omit<StoredObject, "generation">,
    may: (now: StoredObject | undefined) => boolean,
  ): Promise<StoredObject | "refused" | undefined> {
    const refused = await this.meanwhile?.({ method: "put", name });
    if (refused !== undefined) return refused;
    if (!may(this.stored.get(name))) return undefined;
    this.#generation += 1;
    const next = { ...object, generation: this.#generation };
    this.stored.set(name, next);
    return next;
  }

  /** Removes one where `may` lets it. @returns whether it did */
  async delete(name: string, may: (now: StoredObject | undefined) => boolean): Promise<boolean | "refused"> {
    const refused = await this.meanwhile?.({ method: "delete", name });
    if (refused !== undefined) return refused;
    return may(this.stored.get(name)) && this.stored.delete(name);
  }
}

/** Serves a protocol on loopback. @returns the server's own part of a {@link Bucket}, and its port */
export async function serve(
  objects: Objects,
  answer: (asked: Asked) => Promise<Answer>,
): Promise<Omit<Bucket, "place" | "endpoint" | "credentials"> & { readonly port: number }> {
  const server = createServer((request, response) => {
    void (async () => {
      const { method = "", headers } = request;
      const body = await buffer(request);
      const url = new URL(request.url ?? "/", `http://${headers.host}`);
      objects.received.push(`${method} ${url.href} ${JSON.stringify(headers)} ${body.toString("latin1")}`);
      const said = await answer({ method, url, headers, body });
      response.writeHead(said.status, said.headers).end(method === "HEAD" ? undefined : said.body);
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the bucket's server has no port");
  return {
    port: address.port,
    objects: objects.stored,
    received: objects.received,
    meet(meanwhile) {
      objects.meanwhile = meanwhile;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
