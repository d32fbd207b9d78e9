import { decode, ExtensionCodec, encode } from "@msgpack/msgpack";

/** What Terraform does not know yet while it plans. */
export class Unknown {
  readonly unknown = true;
}

/** A value as Terraform's providers exchange it. */
export type Value = null | boolean | number | string | Unknown | readonly Value[] | Values;
export interface Values {
  readonly [name: string]: Value;
}

/** Extensions of MessagePack by which Terraform marks unknown values: plain, and with what is known about them. */
const codec = new ExtensionCodec();
for (const type of [0, 12]) {
  codec.register({
    type,
    encode: (value: unknown) => (type === 0 && value instanceof Unknown ? new Uint8Array([0]) : null),
    decode: () => new Unknown(),
  });
}

function toValue(raw: unknown): Value {
  if (raw === null || raw === undefined) return null;
  if (typeof raw === "boolean" || typeof raw === "number" || typeof raw === "string") return raw;
  if (raw instanceof Unknown) return raw;
  if (Array.isArray(raw)) return raw.map(toValue);
  if (typeof raw === "object") {
    return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, toValue(value)]));
  }
  throw new Error(`not a value of Terraform: ${typeof raw}`);
}

/** Whether a value is an object, a map or a block. */
export function isValues(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Unknown);
}

/** A value from the wire. */
export function fromWire(bytes: Uint8Array): Value {
  return bytes.length === 0 ? null : toValue(decode(bytes, { extensionCodec: codec }));
}

/** A value for the wire. */
export function toWire(value: Value): { readonly msgpack: Uint8Array } {
  return { msgpack: encode(value, { extensionCodec: codec }) };
}

/** A value from the state, which is JSON. */
export function fromJson(bytes: Uint8Array): Value {
  return toValue(JSON.parse(Buffer.from(bytes).toString("utf8")));
}

export function textOf(values: Values, name: string): string {
  const value = values[name];
  if (typeof value !== "string") throw new Error(`${name} is no text`);
  return value;
}
