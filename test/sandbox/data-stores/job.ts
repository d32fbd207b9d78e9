import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { KubeObject } from "../../../src/cluster/object.ts";
import { valuesOf } from "./pod.ts";
import { postgresPrograms } from "./postgres.ts";
import { folder, type Ran, run } from "./processes.ts";
import { redisPrograms } from "./redis.ts";

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
                  .looseObject({
                    secretKeyRef: z.looseObject({
                      name: z.string(),
                      key: z.string(),
                      optional: z.boolean().optional(),
                    }),
                  })
                  .optional(),
              }),
            ),
          }),
        ]),
      }),
    }),
  }),
});

/** Where a Job's container runs. */
export interface JobPlace {
  /** The Secrets there are, each with its values as text. */
  readonly secrets: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Variables that differ here: ports, paths. */
  readonly here: Readonly<Record<string, string>>;
  /** What is to be changed of the script and the SQL it executes: how long it waits. */
  readonly edited?: (text: string) => string;
}

/** Secrets by their names. */
export function held(secrets: readonly KubeObject[]): JobPlace["secrets"] {
  return new Map(secrets.map((secret) => [secret.metadata.name, valuesOf(secret)]));
}

/** Runs the container of a Job here, as a kubelet would; `said`: its termination message. */
export async function runJob(
  job: KubeObject,
  { secrets, here, edited = (text) => text }: JobPlace,
): Promise<Ran & { readonly said: string }> {
  const [{ command, env }] = jobSchema.parse(job).spec.template.spec.containers;
  const environment = Object.fromEntries(
    env.flatMap(({ name, value, valueFrom }): readonly (readonly [string, string])[] => {
      if (valueFrom === undefined) return [[name, name === "SQL" ? edited(value ?? "") : (value ?? "")]];
      const { name: secret, key, optional } = valueFrom.secretKeyRef;
      const found = secrets.get(secret)?.[key];
      if (found === undefined && optional !== true) throw new Error(`no ${key} in Secret ${secret}`);
      return found === undefined ? [] : [[name, found]];
    }),
  );
  const [file, flag, script] = command;
  const own = await folder();
  const said = join(own.path, "said");
  await writeFile(said, "");
  try {
    const ran = await run(file, [flag, edited(script)], {
      environment: {
        PATH: [postgresPrograms, redisPrograms, process.env.PATH].filter(Boolean).join(":"),
        ...environment,
        TERMINATION_LOG: said,
        ...here,
      },
    });
    return { ...ran, said: await readFile(said, "utf8") };
  } finally {
    await own.remove();
  }
}
