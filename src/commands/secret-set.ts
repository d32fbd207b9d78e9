import { type Command, Option } from "commander";
import { z } from "zod";
import type { Application } from "../application/application.ts";
import type { ServiceChange } from "../application/change.ts";
import type { ServiceName } from "../application/names.ts";
import {
  type OwnSecret,
  ownSecretName,
  secretKeySchema,
  secretNameSchema,
} from "../application/own-secrets.ts";
import { makeOwnSecret, nextVersion } from "../secrets/own-secret.ts";
import type { Bind } from "./action.ts";
import { applicationOfService } from "./application-of-service.ts";
import { confirm } from "./confirm.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { CommandFailure, failureOf, usageFailure } from "./failure.ts";
import { serviceNameFrom } from "./names.ts";
import { ofService } from "./nearest-name.ts";
import { secretValue } from "./secret-value.ts";
import { failing, followServiceRun, serviceRunSchema, shownPlan, withRunOptions } from "./service-run.ts";
import type { Session } from "./session.ts";
import { whenFree } from "./waiting.ts";

const optionsSchema = serviceRunSchema.extend({ key: z.string() });
type Options = z.output<typeof optionsSchema>;

const key = (what: string) => new Option("--key <variable>", what).makeOptionMandatory();

/** `platform secret set` and `platform secret remove`: what a service's pods read beside its data stores' credentials. */
export function addOwnSecrets(secret: Command, bind: Bind): void {
  bind(
    withRunOptions(
      secret
        .command("set")
        .description("give a service a secret of its own, or a new value of one: its pods roll to read it")
        .argument("<service>", "the service's name")
        .argument("<name>", "the secret's name, for example stripe")
        .addOption(key("the variable that the pods have it as, for example STRIPE_KEY"))
        // Whoever tries it is told why not; their value is repeated nowhere.
        .allowUnknownOption()
        .allowExcessArguments(),
    ).addHelpText(
      "after",
      `
The value is asked for without being shown, or is all of standard input; it is never an argument, which every
process on the machine and the shell's history could read.

Examples:
  platform secret set api-gateway stripe --key STRIPE_KEY
  platform secret set api-gateway tls --key CLIENT_PEM < client.pem`,
    ),
    async (session, args, raw) => {
      if (args.length > 2) throw valueAmongArguments();
      const options = optionsSchema.parse(raw);
      const service = serviceNameFrom(args[0]);
      return setSecret(session, service, secretNamed(args[1], options.key), options);
    },
  );
  bind(
    withRunOptions(
      secret
        .command("remove")
        .description(
          "have a service's pods read a secret of its own no more; values stay until the service goes",
        )
        .argument("<service>", "the service's name")
        .argument("<name>", "the secret's name")
        .addOption(key("the variable")),
    ),
    async (session, args, raw) => {
      const options = optionsSchema.parse(raw);
      const service = serviceNameFrom(args[0]);
      return removeSecret(session, service, secretNamed(args[1], options.key), options);
    },
  );
}

function valueAmongArguments(): CommandFailure {
  return usageFailure(
    "there is more than a service, a name and --key: a value is no argument, because every process on the machine can read those, and the shell keeps them",
    {
      next: [
        "leave it out, and it is asked for without being shown, or give it by standard input: … < FILE",
        "a value that was typed may have been seen: use another one",
        "platform secret set --help",
      ],
    },
  );
}

type Named = Pick<OwnSecret, "name" | "key">;

/** @throws CommandFailure (2) with every problem, and without what was typed: it may be the value */
function secretNamed(name: string | undefined, variable: string): Named {
  const parsed = { name: secretNameSchema.safeParse(name ?? ""), key: secretKeySchema.safeParse(variable) };
  if (parsed.name.success && parsed.key.success) return { name: parsed.name.data, key: parsed.key.data };
  const problems = Object.entries(parsed).flatMap(([field, { error }]) =>
    error === undefined
      ? []
      : [{ field: field === "key" ? "--key" : field, message: error.issues[0]?.message ?? "is wrong" }],
  );
  throw usageFailure("what is asked for cannot be", { problems, next: ["platform secret set --help"] });
}

async function setSecret(
  session: Session,
  service: ServiceName,
  named: Named,
  options: Options,
): Promise<ExitCode> {
  const { cluster } = await session.platform();
  return changeSecrets(session, service, options, {
    plan: (application) => {
      const taken = application.spec.secrets?.find((secret) => secret.key === named.key);
      if (taken !== undefined && taken.name !== named.name) {
        throw usageFailure(`${service} has ${named.key} from secret ${taken.name}`, {
          next: [session.command("secret", "set", service, taken.name, "--key", named.key)],
        });
      }
      return { operation: "set", secret: nextVersion(application, named) };
    },
    async prepare(application) {
      const question = `\n  Value of ${named.key} for ${service} on ${session.clusterName} (not shown): `;
      const value = await secretValue(session, named.key, question);
      const secret = await makeOwnSecret(cluster, application, nextVersion(application, named), value);
      const object = ownSecretName(service, secret);
      return {
        change: { operation: "set", secret },
        state: `Secret ${object} holds the value; no pod reads it.`,
      };
    },
  });
}

function removeSecret(
  session: Session,
  service: ServiceName,
  named: Named,
  options: Options,
): Promise<ExitCode> {
  const change = { operation: "set", withoutSecret: named.key } as const;
  return changeSecrets(session, service, options, {
    plan: (application) => {
      const found = application.spec.secrets?.some(
        (secret) => secret.key === named.key && secret.name === named.name,
      );
      if (found === true) return change;
      throw usageFailure(`${service} reads no ${named.key} from a secret ${named.name}`, {
        next: [session.command("secret", "list", service)],
      });
    },
    async prepare() {
      if (!options.yes) {
        await confirm(session, `Take ${named.key} from the pods of ${service} on ${session.clusterName}?`);
      }
      return { change };
    },
  });
}

/** Shows what would change, has it prepared, and follows the run. */
async function changeSecrets(
  session: Session,
  service: ServiceName,
  options: Options,
  secrets: {
    /** The change, as far as it is known beforehand. */
    plan(application: Application): ServiceChange;
    /** What comes before the run; `state`: what exists where there is none after all. */
    prepare(application: Application): Promise<{ readonly change: ServiceChange; readonly state?: string }>;
  },
): Promise<ExitCode> {
  const { provisioner } = await session.platform();
  return ofService(session, service, async () => {
    const application = await applicationOfService(session, service);
    const intended = secrets.plan(application);
    const plan = await shownPlan(session, service, options, () =>
      provisioner.planChange(service, intended, { dataStores: "keep" }),
    );
    if (plan === undefined) return exitCodes.done;
    const { change, state } = await secrets.prepare(application);
    const begin = () =>
      whenFree(session, { service }, options.wait === true, () =>
        provisioner.change(service, change, { dataStores: "keep", ...failing(options) }),
      ).catch((error: unknown) => {
        throw state === undefined ? error : unfinished(session, error, state);
      });
    return followServiceRun(session, options, begin);
  });
}

/** A refusal that comes after something has been written: it says what. */
function unfinished(session: Session, error: unknown, state: string): CommandFailure {
  const { message, problems, next } = failureOf(error, {
    cluster: session.clusterName,
    contact: session.contact(),
    command: session.command,
  });
  return new CommandFailure(exitCodes.held, message, { problems, next, state, cause: error });
}
