import { serviceNameSchema } from "../application/names.ts";
import type { Provisioner } from "../provisioning/provisioner.ts";
import type { RunState } from "../provisioning/run.ts";

/**
 * The run that a refusal is about: who is refused because of another run is told its name. Undefined where the
 * refusal has another reason, or where the runs cannot be read.
 */
export async function runInTheWay(
  error: unknown,
  service: string,
  provisioner: Pick<Provisioner, "list">,
): Promise<RunState | undefined> {
  if (!(error instanceof Error) || error.name !== "ProvisioningError") return undefined;
  try {
    const runs = await provisioner.list({ service: serviceNameSchema.parse(service) });
    return runs.find(({ name }) => error.message.includes(name));
  } catch {
    return undefined;
  }
}
