import type { StoreKind } from "../../application/store-provider.ts";
import { loginContainer, loginObjects } from "../../secrets/login-job.ts";
import { runJob } from "../run-job.ts";
import type { StepContext } from "../step.ts";

/** How long the Job of a login may take, in milliseconds: a little longer than the cluster lets it. */
const loginWithinMs = 6 * 60_000;

/** The proof that what the service's pods are told lets them in, from where they are. */
export async function logIn(context: StepContext, store: StoreKind): Promise<void> {
  const { application, standards } = context;
  const { policies, job } = loginObjects(application, standards, store);
  await runJob(
    { ...context, service: application.metadata.name },
    {
      around: policies,
      job,
      container: loginContainer,
      withinMs: loginWithinMs,
      doing: `logging in to the ${store} as the service does`,
    },
  );
}
