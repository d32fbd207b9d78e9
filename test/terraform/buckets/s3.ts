import { createHash } from "node:crypto";
import { type Answer, type Asked, type Bucket, bucketName, Objects, serve } from "./bucket.ts";

const key = { id: "AKIATHEONLYONE", secret: "the-only-secret" } as const;
const region = "eu-west-1";
const hosts = { s3: "s3.test", sts: "sts.test" } as const;

/**
 * A stand-in for Amazon S3 and STS, as far as Terraform's backend speaks with them: who is it, list, read, write, write
 * where nothing is, delete. It knows keys and does not check signatures. Terraform reaches it as a proxy, so that it
 * addresses the bucket by its host, as at Amazon.
 */
export async function startS3(): Promise<Bucket> {
  const objects = new Objects();
  const { port, ...server } = await serve(objects, async (asked) => {
    const known = asked.headers.authorization?.includes(`Credential=${key.id}/`) === true;
    if (asked.url.hostname === hosts.sts) return whoIsIt(known);
    if (!known)
      return problem(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.");
    if (asked.url.hostname !== `${bucketName}.${hosts.s3}`) {
      return problem(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    return asked.url.pathname === "/" ? list(objects, asked) : object(objects, asked);
  });
  return {
    ...server,
    place: { kind: "s3", bucket: bucketName, region },
    endpoint: {
      HTTP_PROXY: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_S3: `http://${hosts.s3}`,
      AWS_ENDPOINT_URL_STS: `http://${hosts.sts}`,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    credentials: { AWS_ACCESS_KEY_ID: key.id, AWS_SECRET_ACCESS_KEY: key.secret },
  };
}

const xml = (status: number, body: string): Answer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
});

const problem = (status: number, code: string, message: string) =>
  xml(status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`);

function whoIsIt(known: boolean): Answer {
  return known
    ? xml(
        200,
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/platform</Arn><UserId>platform</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>",
      )
    : xml(
        403,
        "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>",
      );
}

function list({ stored }: Objects, { url }: Asked): Answer {
  const prefix = url.searchParams.get("prefix") ?? "";
  const names = [...stored.keys()].filter((name) => name.startsWith(prefix));
  return xml(
    200,
    `<ListBucketResult><Name>${bucketName}</Name><Prefix>${prefix}</Prefix><KeyCount>${names.length}</KeyCount><IsTruncated>false</IsTruncated>${names.map((name) => `<Contents><Key>${name}</Key></Contents>`).join("")}</ListBucketResult>`,
  );
}

async function object(objects: Objects, asked: Asked): Promise<Answer> {
  const name = decodeURIComponent(asked.url.pathname.slice(1));
  const { headers, body } = asked;
  switch (asked.method) {
    case "HEAD":
    case "GET": {
      const found = objects.stored.get(name);
      if (found === undefined) return problem(404, "NoSuchKey", "The specified key does not exist.");
      return {
        status: 200,
        headers: {
          "content-length": String(found.body.length),
          etag: etagOf(found.body),
          "x-amz-server-side-encryption": String(found.headers["x-amz-server-side-encryption"] ?? ""),
        },
        body: found.body,
      };
    }
    case "PUT": {
      if (headers["content-encoding"]?.includes("aws-chunked") === true) {
        return problem(501, "NotImplemented", "This stand-in reads no chunks.");
      }
      const made = await objects.put(
        name,
        { body, headers },
        (now) => headers["if-none-match"] !== "*" || now === undefined,
      );
      if (made === "refused") return problem(403, "AccessDenied", "Access Denied");
      return made === undefined
        ? problem(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        : { status: 200, headers: { etag: etagOf(made.body) } };
    }
    case "DELETE": {
      const gone = await objects.delete(name, () => true);
      return gone === "refused" ? problem(403, "AccessDenied", "Access Denied") : { status: 204 };
    }
    default:
      return problem(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
  }
}

function etagOf(body: Buffer): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}
