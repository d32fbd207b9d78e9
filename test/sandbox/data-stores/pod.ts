import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { KubeObject } from "../../../src/cluster/object.ts";

const execSchema = z.looseObject({
  exec: z.looseObject({ command: z.tuple([z.string(), z.string(), z.string()]) }),
});
const containerSchema = z.looseObject({
  command: z.tuple([z.string(), z.string(), z.string()]).optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })),
  startupProbe: execSchema,
  livenessProbe: execSchema,
  readinessProbe: execSchema,
});
const statefulSetSchema = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.tuple([containerSchema]),
        volumes: z.array(
          z.looseObject({
            name: z.string(),
            projected: z
              .looseObject({
                sources: z.array(
                  z.looseObject({
                    secret: z.looseObject({
                      name: z.string(),
                      optional: z.boolean().optional(),
                      items: z.array(z.strictObject({ key: z.string(), path: z.string() })),
                    }),
                  }),
                ),
              })
              .optional(),
          }),
        ),
      }),
    }),
  }),
});

/** A data store's pod as its StatefulSet describes it: what a kubelet would run, and what it would mount. */
export interface StorePod {
  readonly command: string | undefined;
  /** Values that stand in the pod itself. */
  readonly environment: Readonly<Record<string, string>>;
  readonly probes: Readonly<Record<"startup" | "liveness" | "readiness", string>>;
  /** Writes the files of its Secrets, as they are now, into a folder. */
  mountCredentials(folder: string, secrets: readonly KubeObject[]): Promise<void>;
}

export function storePod(objects: readonly KubeObject[]): StorePod {
  const { spec } = statefulSetSchema.parse(objects.find(({ kind }) => kind === "StatefulSet")).spec.template;
  const [container] = spec.containers;
  const sources = spec.volumes.flatMap(({ projected }) => projected?.sources ?? []);
  return {
    command: container.command?.[2],
    environment: Object.fromEntries(
      container.env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    ),
    probes: {
      startup: container.startupProbe.exec.command[2],
      liveness: container.livenessProbe.exec.command[2],
      readiness: container.readinessProbe.exec.command[2],
    },
    async mountCredentials(folder, secrets) {
      for (const { secret } of sources) {
        const found = secrets.find(({ metadata }) => metadata.name === secret.name);
        if (found === undefined && secret.optional !== true) throw new Error(`no Secret ${secret.name}`);
        for (const { key, path } of secret.items) {
          const value = valuesOf(found)[key];
          if (value === undefined) continue;
          await mkdir(join(folder, path, ".."), { recursive: true, mode: 0o755 });
          await writeFile(join(folder, path), value, { mode: 0o644 });
        }
      }
    },
  };
}

/** A Secret's values as text. */
export function valuesOf(secret: KubeObject | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secret?.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(String(value), "base64").toString("utf8"),
    ]),
  );
}
