import wire from "./builtin/wire.json" with { type: "json" };
import { isObject, type JsonObject } from "./json.ts";
import { allDefinitions } from "./schema/schema.ts";
import { failures } from "./status.ts";

type Field = readonly (string | number)[];
type Message = Readonly<Record<string, Field>>;

/** Message → field number → `[name, type]`, with 1 for a list and 2 for a Go pointer, whose zero counts. */
const messages: Readonly<Record<string, Message>> = wire;

/** `k8s` and a zero byte, before a `runtime.Unknown`. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const meta = "apimachinery.pkg.apis.meta.v1.";

/**
 * An object of a built-in type that a typed client sent as `application/vnd.kubernetes.protobuf`, as `kubectl create
 * namespace` does. Answers are JSON, which such clients take too.
 * @throws ApiFailure 400.
 */
export function fromProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, 4).equals(magic)) throw failures.badRequest("the body is no Kubernetes protobuf");
  const envelope = new Map(fieldsIn(body.subarray(4)));
  const type = new Map(fieldsIn(bytesOf(envelope.get(1))));
  const apiVersion = bytesOf(type.get(1)).toString("utf8");
  const kind = bytesOf(type.get(2)).toString("utf8");
  const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  const name =
    kind === "DeleteOptions" ? `${meta}DeleteOptions` : `api.${group.split(".")[0]}.${version}.${kind}`;
  if (messages[name] === undefined) {
    throw failures.badRequest(
      `the sandbox reads ${kind} (${apiVersion}) as JSON only: use kubectl create -f`,
    );
  }
  const decoded = messageOf(name, bytesOf(envelope.get(2)));
  return { apiVersion, kind, ...(isObject(decoded) ? decoded : {}) };
}

type WireValue = bigint | Buffer;

const bytesOf = (value: WireValue | undefined): Buffer => (Buffer.isBuffer(value) ? value : Buffer.alloc(0));
const numberOf = (value: WireValue | undefined): number =>
  typeof value === "bigint" ? Number(BigInt.asIntN(64, value)) : 0;

/** The fields of a message by number, in the order of the wire. */
function* fieldsIn(bytes: Buffer): Generator<[number, WireValue]> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw failures.badRequest("the protobuf body is cut off");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (size: number): Buffer => {
    if (at + size > bytes.length) throw failures.badRequest("the protobuf body is cut off");
    at += size;
    return bytes.subarray(at - size, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    switch (tag & 7) {
      case 0:
        yield [tag >> 3, varint()];
        break;
      case 1:
        yield [tag >> 3, take(8).readBigUInt64LE()];
        break;
      case 2:
        yield [tag >> 3, take(Number(varint()))];
        break;
      case 5:
        yield [tag >> 3, BigInt(take(4).readUInt32LE())];
        break;
      default:
        throw failures.badRequest(`the protobuf body has wire type ${tag & 7}`);
    }
  }
}

function messageOf(name: string, bytes: Buffer): unknown {
  const special = specialOf(name, bytes);
  if (special !== undefined) return special.value;
  const made: JsonObject = {};
  const properties = allDefinitions()[`io.k8s.${name}`]?.properties;
  for (const [number, value] of fieldsIn(bytes)) {
    const field = messages[name]?.[number];
    if (field === undefined) continue;
    const [label = "", type = "", flag] = [String(field[0]), String(field[1]), field[2]];
    const map = /^map<(\w+),(.+)>$/.exec(type);
    if (map !== null) {
      const entry = new Map(fieldsIn(bytesOf(value)));
      const entries = isObject(made[label]) ? made[label] : {};
      entries[bytesOf(entry.get(1)).toString("utf8")] = fieldValue(map[2] ?? "", entry.get(2));
      made[label] = entries;
      continue;
    }
    const decoded = fieldValue(type, value);
    // Go embeds some types: their fields stand in the JSON of the outer one.
    if (messages[type] !== undefined && properties !== undefined && !Object.hasOwn(properties, label)) {
      if (isObject(decoded)) Object.assign(made, decoded);
    } else if (flag === 1) {
      const list = Array.isArray(made[label]) ? made[label] : [];
      made[label] = [...list, decoded];
    } else if (flag === 2 || !isZero(decoded)) made[label] = decoded;
  }
  return made;
}

/** What Go leaves out of JSON: the zero values of fields that are no pointers. */
function isZero(value: unknown): boolean {
  return (
    value === undefined ||
    value === "" ||
    value === 0 ||
    value === false ||
    (isObject(value) && Object.keys(value).length === 0)
  );
}

function fieldValue(type: string, value: WireValue | undefined): unknown {
  switch (type) {
    case "string":
      return bytesOf(value).toString("utf8");
    case "bytes":
      return bytesOf(value).toString("base64");
    case "bool":
      return numberOf(value) !== 0;
    case "int32":
    case "int64":
    case "uint32":
    case "uint64":
      return numberOf(value);
    default:
      return messageOf(type, bytesOf(value));
  }
}

/** Types that are no objects in JSON. */
function specialOf(name: string, bytes: Buffer): { readonly value: unknown } | undefined {
  const fields = () => new Map(fieldsIn(bytes));
  switch (name) {
    case `${meta}Time`:
    case `${meta}MicroTime`: {
      const [seconds, nanos] = [numberOf(fields().get(1)), numberOf(fields().get(2))];
      if (seconds <= 0) return { value: undefined };
      const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
      const micros = String(Math.floor(nanos / 1000)).padStart(6, "0");
      return { value: name.endsWith("MicroTime") ? `${whole}.${micros}Z` : `${whole}Z` };
    }
    case "apimachinery.pkg.api.resource.Quantity":
      return { value: bytesOf(fields().get(1)).toString("utf8") };
    case "apimachinery.pkg.util.intstr.IntOrString": {
      const found = fields();
      const isText = numberOf(found.get(1)) === 1;
      return { value: isText ? bytesOf(found.get(3)).toString("utf8") : numberOf(found.get(2)) };
    }
    case `${meta}FieldsV1`:
      return { value: JSON.parse(bytesOf(fields().get(1)).toString("utf8") || "{}") };
    default:
      return undefined;
  }
}
