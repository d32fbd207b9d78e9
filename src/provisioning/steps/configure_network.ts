import { desiredObjects } from "../../application/desired-objects.ts";
import { StepError } from "../errors.ts";
import { writes } from "../operations/describe.ts";
import type { Step } from "../step.ts";
import { partChanges } from "./change.ts";
import { served } from "./served.ts";

/** What an object of a kind gives the service. */
const gains: Readonly<Record<string, string>> = {
  PeerAuthentication: "strict mTLS",
  HTTPRoute: "route",
  Certificate: "certificate",
  DNSEndpoint: "DNS name",
};

/** Mesh membership with strict mTLS and, for public services, route, certificate and DNS name. */
export const configureNetwork: Step = {
  id: "configure_network",
  title: "Network",
  needs: ["create_namespace"],
  skippable: true,
  when: (context) =>
    (context.request.exposure === "public" || context.standards.network.mesh !== "none") &&
    partChanges(context, "network"),
  async describe(context) {
    const { application, standards, cluster } = context;
    const { objects, missing } = await served(cluster, desiredObjects(application, standards).network);
    return writes(context, objects, missing);
  },
  async apply({ application, standards, cluster, write }) {
    const { objects, missing } = await served(cluster, desiredObjects(application, standards).network);
    if (missing.length > 0 && standards.network.whenMissing === "fail") {
      throw new StepError(
        "refused",
        missing.join("; "),
        "have a platform engineer install it, or set network.whenMissing to warn in the standards",
      );
    }
    if (objects.length > 0) await write.objects(objects);
    const made = [...new Set(objects.map(({ kind }) => gains[kind] ?? kind))].join(", ");
    return { summary: made === "" ? "nothing to set up here" : made, warnings: missing };
  },
};
