import { namespaceOf, serviceNameSchema } from "../../application/names.ts";
import { pipelineName } from "../../application/objects/pipeline-access.ts";
import { resources } from "../../cluster/resource.ts";
import { pipelineFile, pipelinePath } from "../../delivery/pipeline.ts";
import type { Step } from "../step.ts";
import { branch, commitLabel, repositoryOf } from "./generate_manifests.ts";

const title = "Add the pipeline";

/** The pipeline in the service's repository: build, test, scan, push by digest, deploy. */
export const configureCicd: Step = {
  id: "configure_cicd",
  title: "Pipeline",
  needs: ["generate_manifests"],
  skippable: true,
  when: () => true,

  async describe(context) {
    const effect = { kind: "commit" as const, url: repositoryOf(context), branch, title };
    return { effects: [{ action: "create", effect }], notes: [], manifests: [] };
  },

  async apply(context) {
    const { application, standards, cluster, codeHost, write, run, signal } = context;
    const service = serviceNameSchema.parse(application.metadata.name);
    const url = repositoryOf(context);
    // Without its account every deployment by the pipeline would be refused later.
    await cluster.get(
      resources.serviceAccounts,
      { namespace: namespaceOf(service), name: pipelineName },
      { signal },
    );
    const files = [pipelineFile(application, standards)];
    const { commit } = await write.commit({ url, branch, title }, () =>
      codeHost.commit(url, { branch, title, files, run }),
    );
    return { summary: `${pipelinePath}, ${commitLabel(url, commit)}` };
  },
};
