import { createHash } from "node:crypto";
import {
  type Answer,
  type Asked,
  type Bucket,
  bucketName,
  Objects,
  type StoredObject,
  serve,
} from "./bucket.ts";

const token = "the-only-token";
const paths = {
  objects: `/storage/v1/b/${bucketName}/o`,
  upload: `/upload/storage/v1/b/${bucketName}/o`,
  media: `/${bucketName}/`,
} as const;

/**
 * A stand-in for Google Cloud Storage, as far as Terraform's backend speaks with it: list, metadata, media, upload in
 * one request of two parts, delete, each with its condition on generations. It knows one token.
 */
export async function startGcs(): Promise<Bucket> {
  const objects = new Objects();
  const { port, ...server } = await serve(objects, async (asked) => {
    if (asked.headers.authorization !== `Bearer ${token}`) {
      return problem(401, "authError", "Invalid Credentials");
    }
    const { pathname } = asked.url;
    if (pathname === paths.objects) return list(objects, asked);
    if (pathname === paths.upload) return upload(objects, asked);
    if (pathname.startsWith(`${paths.objects}/`)) {
      return metadata(objects, asked, decodeURIComponent(pathname.slice(paths.objects.length + 1)));
    }
    if (pathname.startsWith(paths.media)) {
      return media(objects, decodeURIComponent(pathname.slice(paths.media.length)));
    }
    return problem(404, "notFound", "The specified bucket does not exist.");
  });
  return {
    ...server,
    place: { kind: "gcs", bucket: bucketName },
    endpoint: { GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT: `http://127.0.0.1:${port}/storage/v1/` },
    credentials: { GOOGLE_OAUTH_ACCESS_TOKEN: token },
  };
}

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

const problem = (status: number, reason: string, message: string) =>
  json(status, { error: { code: status, message, errors: [{ domain: "global", reason, message }] } });

const missing = problem(404, "notFound", "No such object");
const conditionNotMet = problem(
  412,
  "conditionNotMet",
  "At least one of the pre-conditions you specified did not hold.",
);
const refused = problem(403, "forbidden", "platform does not have storage.objects access");

const toldOf = (name: string, { body, generation }: StoredObject) => ({
  kind: "storage#object",
  name,
  bucket: bucketName,
  generation: String(generation),
  metageneration: "1",
  size: String(body.length),
  md5Hash: createHash("md5").update(body).digest("base64"),
});

function list({ stored }: Objects, { url }: Asked): Answer {
  const prefix = url.searchParams.get("prefix") ?? "";
  const found = [...stored].filter(([name]) => name.startsWith(prefix));
  return json(200, { kind: "storage#objects", items: found.map(([name, each]) => toldOf(name, each)) });
}

/** What a request says the generation must be: 0, that there is none. */
function condition({ searchParams }: URL): (now: StoredObject | undefined) => boolean {
  const wanted = searchParams.get("ifGenerationMatch");
  return (now) => wanted === null || wanted === String(now?.generation ?? 0);
}

async function metadata(objects: Objects, asked: Asked, name: string): Promise<Answer> {
  const now = objects.stored.get(name);
  if (now === undefined) return missing;
  if (asked.method !== "DELETE") return json(200, toldOf(name, now));
  const gone = await objects.delete(name, condition(asked.url));
  if (gone === "refused") return refused;
  return gone ? { status: 204 } : conditionNotMet;
}

function media({ stored }: Objects, name: string): Answer {
  const found = stored.get(name);
  return found === undefined
    ? missing
    : {
        status: 200,
        headers: {
          "content-length": String(found.body.length),
          "x-goog-generation": String(found.generation),
        },
        body: found.body,
      };
}

async function upload(objects: Objects, asked: Asked): Promise<Answer> {
  const { headers, url } = asked;
  if (url.searchParams.get("uploadType") !== "multipart") {
    return problem(501, "notImplemented", "This stand-in takes uploads of one request only.");
  }
  const name = url.searchParams.get("name") ?? "";
  const body = secondPart(asked);
  const made = await objects.put(name, { body, headers }, condition(url));
  if (made === "refused") return refused;
  return made === undefined ? conditionNotMet : json(200, toldOf(name, made));
}

/** Of `multipart/related`: first what the object is, then what is in it. */
function secondPart({ headers, body }: Asked): Buffer {
  const [, boundary = ""] = /boundary=([^;]+)/.exec(headers["content-type"] ?? "") ?? [];
  const second = body.indexOf(`--${boundary}`, 1);
  const begin = body.indexOf("\r\n\r\n", second) + 4;
  return body.subarray(begin, body.lastIndexOf(`\r\n--${boundary}--`));
}
