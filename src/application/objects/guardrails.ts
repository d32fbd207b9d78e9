import type { KubeObject } from "../../cluster/object.ts";
import type { Standards } from "../../standards/standards.ts";
import { tierOf } from "../../standards/tier.ts";
import { metadataIn, type Place } from "./subject.ts";

/** Name of the one Guardrails object of a managed namespace. */
export const guardrailsName = "guardrails";

/** Images that the standards name themselves: those run wherever they come from. */
function namedImages({ images, database, cache }: Standards): readonly string[] {
  return [
    ...(images.starter === undefined ? [] : [images.starter]),
    database.image,
    cache.image,
    ...Object.values(cache.versions),
  ];
}

/**
 * What the admission policies ask of a namespace's pods. `exceptions` are not among it: people write them, and an
 * apply of ours leaves them alone. Empty registries: images may come from anywhere.
 */
export function guardrails(place: Place): KubeObject {
  const { registries } = place.standards.images;
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Guardrails",
    metadata: metadataIn(place, "namespace", guardrailsName),
    spec: {
      registries:
        registries.length === 0 ? [] : [...new Set([...registries, ...namedImages(place.standards)])].sort(),
      imagesByDigest: tierOf(place.standards, place.tier).imagesByDigest,
    },
  };
}
