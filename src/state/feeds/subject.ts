import { resources } from "../../cluster/resource.ts";
import { formOf, withReplicas } from "../change.ts";
import type { Place } from "../place.ts";
import { tellInOneLine } from "../problem.ts";
import type { Feed } from "./feed.ts";

/** The service a change is filled in for, read once: what it has stands in the form. */
export function feedSubject({ service, kind, step }: Place & { readonly screen: "change" }): Feed {
  return async (stores, { cluster }, signal) => {
    const known = stores.ui.getState().change;
    if (known?.service === service && known.kind === kind) return;
    stores.subject.setState({ of: service, spec: undefined, parse: undefined, error: undefined });
    try {
      const [object, { serviceChangeSchema }, { applicationSpecSchema }] = await Promise.all([
        cluster.get(resources.applications, { namespace: `app-${service}`, name: service }, { signal }),
        import("../../application/change.ts"),
        import("../../application/schema.ts"),
      ]);
      const spec = applicationSpecSchema.parse(object.spec);
      if (signal.aborted) return;
      stores.subject.setState({
        spec,
        parse: (draft) => {
          const parsed = serviceChangeSchema.safeParse(draft);
          if (parsed.success) return parsed.data;
          const [issue] = parsed.error.issues;
          return `${issue?.path.join(" ") ?? ""} ${issue?.message ?? "is wrong"}`.trim();
        },
      });
      const form = formOf(kind, service, spec);
      // Still only offered: the first digit typed takes its place.
      const stepped = step === undefined ? form : { ...withReplicas(form, step), offered: true };
      stores.ui.setState({ change: stepped });
    } catch (error) {
      if (!signal.aborted) stores.subject.setState({ error: tellInOneLine(error) });
    }
  };
}
