import { createHash } from "node:crypto";
import type { ApplicationSpec } from "./application.ts";

/**
 * A mark of what has to be run before the service may run as this spec says: of its image, and of the migration's
 * image and command. The same for the same ones; undefined where nothing is run, as long as a starter runs too. Pure.
 */
export function migrationMark({
  image,
  starter,
  migrations,
}: Pick<ApplicationSpec, "image" | "starter" | "migrations">): string | undefined {
  if (migrations === undefined || starter) return undefined;
  const content = JSON.stringify([image, migrations.image ?? image, migrations.command]);
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
