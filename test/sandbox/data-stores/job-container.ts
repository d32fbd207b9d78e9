import { z } from "zod";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { secretValues } from "../../../src/secrets/rotation.ts";

const jobSchema = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.tuple([
          z.looseObject({
            command: z.tuple([z.string(), z.string(), z.string()]),
            env: z.array(
              z.looseObject({
                name: z.string(),
                value: z.string().optional(),
                valueFrom: z
                  .looseObject({ secretKeyRef: z.looseObject({ name: z.string(), key: z.string() }) })
                  .optional(),
              }),
            ),
          }),
        ]),
      }),
    }),
  }),
});

/** What a kubelet would run of a Job: its one container's script, and its variables with the Secrets' values. */
export function jobContainer(
  job: KubeObject,
  secrets: readonly KubeObject[],
): { readonly script: string; readonly environment: Readonly<Record<string, string>> } {
  const [{ command, env }] = jobSchema.parse(job).spec.template.spec.containers;
  const environment = Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      const { name: of = "", key = "" } = valueFrom?.secretKeyRef ?? {};
      const secret = secrets.find(({ metadata }) => metadata.name === of);
      const found = value ?? (secret === undefined ? undefined : secretValues(secret)[key]);
      if (found === undefined) throw new Error(`no value for ${name}`);
      return [name, found];
    }),
  );
  return { script: command[2], environment };
}
