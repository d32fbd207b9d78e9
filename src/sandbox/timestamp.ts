/** Whole seconds, as `metadata.creationTimestamp` is. */
export function timestamp(now: Date): string {
  return now.toISOString().replace(/\.\d+Z$/, "Z");
}
