import type { Guardrail } from "../policy.ts";
import { mayManage } from "../principals.ts";

/** Shells and tunnels go round every other rule: they read mounted Secrets and reach what network policies close. */
export const shells: Guardrail = {
  name: "shells",
  reason: "Shells in pods and tunnels to them are on-call's alone, whatever other rights somebody has.",
  params: "standards",
  where: "managed",
  requests: [
    { groups: [""], resources: ["pods/exec", "pods/attach", "pods/portforward"], operations: ["CONNECT"] },
  ],
  when: [{ name: "not-who-manages-guardrails", expression: `!${mayManage}` }],
  rules: [
    {
      expression: "params.spec.?oncall.?groups.orValue([]).exists(g, g in request.userInfo.groups)",
      message: "shells: shells in pods and tunnels to them are on-call's alone",
    },
  ],
};
