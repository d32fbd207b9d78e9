import { z } from "zod";

/** What the worker is started with. */
export const workerOptions = z.object({
  folder: z.string(),
  socketPath: z.string(),
  token: z.string(),
  speed: z.number().positive(),
  /** On 127.0.0.1; 0: any free one. Left out: none. */
  port: z.number().int().min(0).max(65_535).optional(),
});
export type WorkerOptions = z.output<typeof workerOptions>;

/** What the worker says. */
export const toParent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("ready"),
    /** Where kubectl reaches it, if a port was asked for, and the PEM certificate to trust. */
    served: z.object({ url: z.string(), certificate: z.string() }).nullable(),
  }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);
export type ToParent = z.output<typeof toParent>;
