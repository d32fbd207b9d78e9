import { z } from "zod";
import { timestamp } from "./clock.ts";
import { withCondition } from "./conditions.ts";
import { type Controller, keyOf, parseKey } from "./loop.ts";
import { between } from "./names.ts";
import { conditionsStatusShape, typed } from "./shapes.ts";
import { nowText, type Simulation, Stages } from "./simulation.ts";

const certificates = "cert-manager.io/certificates";
const certificateSpec = z.looseObject({
  secretName: z.string(),
  dnsNames: z.array(z.string()).default([]),
  issuerRef: z.looseObject({ name: z.string().default("") }).prefault({}),
});
const dayMs = 86_400_000;
/** What stands where a certificate and a key would be. */
const placeholder = Buffer.from("simulated by the sandbox\n").toString("base64");

/** Issues every Certificate as cert-manager would, with a Secret that says that it is simulated. */
export function certificateController(simulation: Simulation): Controller {
  const { api, events, clock } = simulation;
  const stages = new Stages(simulation);
  return {
    name: "certificates",
    resources: [certificates],
    *concerns({ type, resource, object }) {
      if (resource === certificates && type !== "DELETED") yield keyOf(object);
    },
    reconcile(key) {
      const { namespace, name } = parseKey(key);
      const stored = api.get(certificates, namespace, name);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      const { spec, status, metadata } = typed(stored, certificateSpec, conditionsStatusShape);
      const observedGeneration = metadata.generation ?? 1;
      const ready = status.conditions.find(({ type }) => type === "Ready");
      if (ready?.status === "True" && ready.observedGeneration === observedGeneration) return undefined;
      const now = nowText(simulation);
      const stage = `issuing/${observedGeneration}`;
      if (stages.enters(metadata.uid, stage)) {
        events.record(
          stored,
          "Normal",
          "Issuing",
          "Issuing certificate as Secret does not exist",
          "cert-manager",
        );
        const condition = {
          type: "Ready",
          status: "False",
          reason: "DoesNotExist",
          message: "Issuing certificate as Secret does not exist",
          observedGeneration,
        } as const;
        const conditions = withCondition(status.conditions, condition, now);
        api.updateStatus(certificates, { ...stored, status: { ...status, conditions } });
      }
      const left = stages.left(metadata.uid, stage, between(metadata.uid, 1500, 3000));
      if (left > 0) return left;
      if (api.get("/secrets", namespace, spec.secretName) === undefined) {
        api.create("/secrets", {
          apiVersion: "v1",
          kind: "Secret",
          metadata: {
            name: spec.secretName,
            namespace,
            labels: { "controller.cert-manager.io/fao": "true" },
            annotations: {
              "cert-manager.io/certificate-name": name,
              "cert-manager.io/common-name": spec.dnsNames[0] ?? "",
              "cert-manager.io/alt-names": spec.dnsNames.join(","),
              "cert-manager.io/issuer-name": spec.issuerRef.name,
            },
          },
          type: "kubernetes.io/tls",
          data: { "tls.crt": placeholder, "tls.key": placeholder },
        });
      }
      const condition = {
        type: "Ready",
        status: "True",
        reason: "Ready",
        message: "Certificate is up to date and has not expired",
        observedGeneration,
      } as const;
      const inDays = (days: number) => timestamp(new Date(clock.now().getTime() + days * dayMs));
      api.updateStatus(certificates, {
        ...stored,
        status: {
          ...status,
          conditions: withCondition(status.conditions, condition, now),
          notBefore: now,
          notAfter: inDays(90),
          renewalTime: inDays(60),
          revision: 1,
        },
      });
      const message = "The certificate has been successfully issued";
      events.record(stored, "Normal", "Issuing", message, "cert-manager");
      return undefined;
    },
  };
}
