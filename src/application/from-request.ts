import type { Standards } from "../standards/standards.ts";
import type { Application, ApplicationSpec } from "./application.ts";
import { addressOf } from "./external-store.ts";
import { labelsFor, namespaceOf, type ServiceName } from "./names.ts";
import { RefusedInput } from "./refusal.ts";
import type { ServiceRequest } from "./request.ts";
import { withProviders } from "./store-provider.ts";

/** The team where a request names none: the only one of the standards, if there is only one. */
export function defaultTeam(standards: Standards): string | undefined {
  const teams = Object.keys(standards.teams);
  return teams.length === 1 ? teams[0] : undefined;
}

/**
 * The Application that a request asks for. Without an image it runs the standards' starter image until the
 * pipeline has pushed one.
 * @throws RefusedInput where no team is named and the standards have several, or no image and they have no starter.
 */
export function applicationFor(request: ServiceRequest, standards: Standards): Application {
  const team = request.team ?? defaultTeam(standards);
  const image = request.image ?? standards.images.starter;
  if (team === undefined) {
    const allowed = Object.keys(standards.teams).sort().join(", ");
    throw new RefusedInput([{ field: "team", message: `a team is needed, one of ${allowed}` }]);
  }
  if (image === undefined) {
    throw new RefusedInput([
      {
        field: "image",
        message:
          "the standards have no starter image (images.starter), so a new service needs an image of its own: name one with --image",
      },
    ]);
  }
  const spec: ApplicationSpec = {
    team,
    language: request.language,
    replicas: request.replicas,
    image,
    starter: request.image === undefined,
    exposure: request.exposure,
    ...(request.database === "none"
      ? {}
      : {
          database: {
            type: request.database,
            ...externalStore(request.databaseSecret, request.databaseAddress),
          },
        }),
    ...(request.cache === "none"
      ? {}
      : { cache: { type: request.cache, ...externalStore(request.cacheSecret, request.cacheAddress) } }),
    monitoring: { enabled: true, alerts: [...new Set(request.alerts)].sort() },
  };
  return applicationOf(request.name, withProviders(spec, undefined, standards));
}

/** A data store that exists already, as an Application says it; nothing where it is to be made. */
function externalStore(secret: string | undefined, address: string | undefined) {
  const at = address === undefined ? undefined : addressOf(address);
  return secret === undefined || at === undefined
    ? {}
    : { provider: "external" as const, external: { secret, ...at } };
}

/** An Application in a namespace that it shares with others. Pure. */
export function inNamespace(application: Application, namespace: string): Application {
  return { ...application, metadata: { ...application.metadata, namespace } };
}

/**
 * A service's Application with this spec, in a namespace of its own.
 * @param uid - of the one that the cluster has: what it consists of names it as owner
 */
export function applicationOf(service: ServiceName, spec: ApplicationSpec, uid?: string): Application {
  return {
    apiVersion: "platform.company.com/v1",
    kind: "Application",
    metadata: {
      name: service,
      namespace: namespaceOf(service),
      ...(uid === undefined ? {} : { uid }),
      labels: labelsFor(service, spec.team, "application"),
    },
    spec,
  };
}
