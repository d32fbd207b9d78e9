const shape = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d+)?$/;
const binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** Decimal suffixes by their power of a thousand, from nano on. */
const decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/** A quantity in billionths, or undefined when the text is none. */
export function quantityNanos(text: string): bigint | undefined {
  const found = shape.exec(text);
  const digits = found?.[2];
  if (found === null || digits === undefined) return undefined;
  const suffix = found[3] ?? "";
  const [whole = "", fraction = ""] = digits.split(".");
  // The value is `number / 10^fraction.length`, times the suffix; kept exact until the last division.
  const number = BigInt(`${whole}${fraction}` || "0");
  let scale = 1_000_000_000n;
  let divisor = 10n ** BigInt(fraction.length);
  if (binary.indexOf(suffix) > 0) scale *= 1024n ** BigInt(binary.indexOf(suffix));
  else if (/^[eE][+-]?\d/.test(suffix)) {
    const exponent = Number(suffix.slice(1));
    if (exponent >= 0) scale *= 10n ** BigInt(exponent);
    else divisor *= 10n ** BigInt(-exponent);
  } else {
    const power = decimal.indexOf(suffix) - 3;
    if (power >= 0) scale *= 1000n ** BigInt(power);
    else divisor *= 1000n ** BigInt(-power);
  }
  const nanos = (number * scale + divisor - 1n) / divisor;
  return found[1] === "-" ? -nanos : nanos;
}

/** The form in which an API server stores a quantity: `1000m` is `1`, `1024Mi` is `1Gi`; undefined when it is none. */
export function canonicalQuantity(text: string): string | undefined {
  const nanos = quantityNanos(text);
  if (nanos === undefined) return undefined;
  if (nanos === 0n) return "0";
  const suffix = shape.exec(text)?.[3] ?? "";
  if (binary.indexOf(suffix) > 0) return binaryText(nanos) ?? decimalText(nanos);
  return decimalText(nanos);
}

function binaryText(nanos: bigint): string | undefined {
  const one = 1_000_000_000n;
  if (nanos % one !== 0n) return undefined;
  let value = nanos / one;
  let power = 0;
  while (value % 1024n === 0n && power < binary.length - 1) {
    value /= 1024n;
    power++;
  }
  return `${value}${binary[power] ?? ""}`;
}

function decimalText(nanos: bigint): string {
  let value = nanos;
  let power = 0;
  while (value % 1000n === 0n && power < decimal.length - 1) {
    value /= 1000n;
    power++;
  }
  return `${value}${decimal[power] ?? ""}`;
}
