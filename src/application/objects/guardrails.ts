import type { KubeObject } from "../../cluster/object.ts";
import type { Standards } from "../../standards/standards.ts";
import { tierOf } from "../../standards/tier.ts";
import { metadataIn, type Place } from "./subject.ts";

/** Name of the one Guardrails object of a managed namespace. */
export const guardrailsName = "guardrails";

/** Images that the standards name themselves: those run wherever they come from, and as they are named. */
function namedImages({ images, database, cache }: Standards): readonly string[] {
  const named = [images.starter, database.image, cache.image, ...Object.values(cache.versions)];
  return [...new Set(named.filter((image) => image !== undefined))].sort();
}

/**
 * What the admission policies ask of a namespace's pods. `exceptions` are not among it: people write them, and an
 * apply of ours leaves them alone. Empty registries: images may come from anywhere.
 */
export function guardrails(place: Place): KubeObject {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Guardrails",
    metadata: metadataIn(place, guardrailsName),
    spec: {
      registries: [...new Set(place.standards.images.registries)].sort(),
      images: namedImages(place.standards),
      imagesByDigest: tierOf(place.standards, place.tier).imagesByDigest,
    },
  };
}
