import { type Standards, standardsSchema } from "./standards.ts";

/** Standards that the sandbox starts with: everything a newcomer tries works without a file. */
export function sandboxStandards(): Standards {
  return standardsSchema.parse({
    organization: "sandbox",
    teams: { platform: { groups: ["developers"] } },
    domain: "apps.example.internal",
    images: { starter: "registry.example.internal/platform/starter:0.1.0" },
    // Nobody pays for a simulation; that there are prices is worth seeing.
    prices: {
      currency: "USD",
      examples: true,
      cluster: { cpu: 25, memoryGib: 3.5, storageGib: 0.1 },
    },
    monitoring: {
      whenMissing: "warn",
      prometheus: { namespace: "monitoring", service: "prometheus-operated", port: 9090 },
    },
  });
}
