const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A Kubernetes quantity as a number: `250m` is 0.25, `1Gi` 1073741824. Not a quantity: 0. */
export function parseQuantity(text: string): number {
  const found = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(text);
  const value = Number(found?.[1] ?? Number.NaN);
  return Number.isFinite(value) ? value * (factors[found?.[2] ?? ""] ?? 1) : 0;
}

/** A number as the API server writes quantities of this resource: memory and storage in binary units, CPU in milli. */
export function formatQuantity(value: number, resource: string): string {
  if (/memory|storage/.test(resource)) {
    for (const unit of ["Ti", "Gi", "Mi", "Ki"]) {
      const factor = factors[unit] ?? 1;
      if (value >= factor && value % factor === 0) return `${value / factor}${unit}`;
    }
    return String(Math.round(value));
  }
  return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
}
