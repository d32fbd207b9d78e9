import { resources } from "../../cluster/resource.ts";
import { type ChangeKind, formOf } from "../change.ts";
import { tellInOneLine } from "../problem.ts";
import type { Feed } from "./feed.ts";

/** The service a change is filled in for, read once: what it has stands in the form. */
export function feedSubject(service: string, kind: ChangeKind): Feed {
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
      stores.ui.setState({ change: formOf(kind, service, spec) });
    } catch (error) {
      if (!signal.aborted) stores.subject.setState({ error: tellInOneLine(error) });
    }
  };
}
