import { namespaceOf, serviceNameSchema } from "../../application/names.ts";
import { resources } from "../../cluster/resource.ts";
import type { CodeHost, RepositoryFile } from "../../delivery/code-host.ts";
import { DeliveryError } from "../../delivery/delivery-error.ts";
import { manifestFiles } from "../../delivery/manifests.ts";
import { skeletonFiles } from "../../delivery/skeleton.ts";
import type { PlanContext, Step } from "../step.ts";

/** The branch that is built and deployed. */
export const branch = "main";

/** URL of the service's repository. */
export function repositoryOf({
  application,
  codeHost,
}: Pick<PlanContext, "application" | "codeHost">): string {
  return codeHost.urlOf(application.spec.team, application.metadata.name);
}

/** A repository for a person: `ledger.git 3f2c1a9`. */
export function commitLabel(url: string, commit: string): string {
  return `${url.slice(url.lastIndexOf("/") + 1)} ${commit.slice(0, 7)}`;
}

/** The service's repository: source skeleton and complete manifests, in one commit. */
export const generateManifests: Step = {
  id: "generate_manifests",
  title: "Manifests",
  needs: ["create_namespace"],
  when: () => true,

  async describe(context) {
    const url = repositoryOf(context);
    const title = titleFor(context.application.metadata.name);
    const commit = { action: "create" as const, effect: { kind: "commit" as const, url, branch, title } };
    const make = { action: "create" as const, effect: { kind: "repository" as const, url } };
    const found = await lookUp(context.codeHost, url);
    return {
      effects: found.exists ? [commit] : [make, commit],
      notes: found.notes,
      manifests: [],
    };
  },

  async apply(context) {
    const { application, standards, cluster, codeHost, write, run, signal, log } = context;
    const service = serviceNameSchema.parse(application.metadata.name);
    const url = repositoryOf(context);
    // Made while the cluster and the code host answer.
    const skeleton = skeletonFiles(application.spec.language, service);
    skeleton.catch(() => {});
    // A repository is made only for a service whose namespace stands: it is what claims the name.
    const claimed = cluster.get(resources.namespaces, { name: namespaceOf(service) }, { signal });
    const files: RepositoryFile[] = [...manifestFiles(application, standards)];
    await claimed;
    await write.repository(url, () => codeHost.create(url, run));
    const [newest] = await codeHost.log(url, branch, 1, signal);
    const warnings: string[] = [];
    if (newest === undefined || newest.run === run) {
      files.push(...(await skeleton));
    } else {
      warnings.push(
        `the repository had commits already (the newest: "${newest.title}"): its source was left as it is`,
      );
    }
    const title = titleFor(service);
    const { commit } = await write.commit({ url, branch, title }, () =>
      codeHost.commit(url, { branch, title, files, run }),
    );
    log(`${files.length} files in ${url}`);
    return { summary: commitLabel(url, commit), warnings };
  },
};

function titleFor(service: string): string {
  return `Add ${service} with its manifests`;
}

/** Whether the repository is there; a host that cannot say becomes a note, because a plan writes nothing anyway. */
async function lookUp(
  codeHost: CodeHost,
  url: string,
): Promise<{ readonly exists: boolean; readonly notes: string[] }> {
  try {
    const exists = await codeHost.exists(url);
    if (!exists) return { exists, notes: [] };
    const newest = await codeHost.log(url, branch, 1);
    const used = newest.length > 0 ? [`${url} has commits already: its source is left as it is`] : [];
    return { exists, notes: used };
  } catch (error) {
    if (error instanceof DeliveryError) return { exists: false, notes: [error.message] };
    throw error;
  }
}
