import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { connect } from "../../../src/cluster/connect.ts";
import { resources } from "../../../src/cluster/resource.ts";
import { openScene, type Scene } from "./scene.ts";

/** A scene with an operator at work on it, in a process of its own and as its ServiceAccount. */
export interface Operated {
  readonly scene: Scene;
  /** For files of the test; removed with the rest. */
  readonly folder: string;
  /** Writes a kubeconfig whose one context is who has this token, which is in a file beside it. */
  kubeconfigOf(name: string, token: string): Promise<string>;
  /** Ends the operator, and removes these services and what there is of their runs. */
  close(services: readonly string[]): Promise<void>;
}

const kubeconfigSchema = z.looseObject({
  clusters: z.tuple([z.looseObject({ name: z.string() })]).rest(z.unknown()),
});

/** @param kubeconfig - with the contexts admin, developer, developer2 and oncall */
export async function openOperated(kubeconfig: string): Promise<Operated> {
  const folder = await mkdtemp(join(tmpdir(), "platform-operated-"));
  const scene = await openScene(kubeconfig);

  async function kubeconfigOf(name: string, token: string): Promise<string> {
    const { clusters } = kubeconfigSchema.parse(parse(await readFile(kubeconfig, "utf8")));
    const tokenFile = join(folder, `${name}.token`);
    await writeFile(tokenFile, token, { mode: 0o600 });
    const path = join(folder, name);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters,
      users: [{ name, user: { tokenFile } }],
      contexts: [{ name, context: { cluster: clusters[0].name, user: name } }],
      "current-context": name,
    };
    await writeFile(path, stringify(config), { mode: 0o600 });
    return path;
  }

  const operator = await startOperator(
    await kubeconfigOf("platform-operator", scene.operatorToken),
    join(folder, "repositories"),
  );
  return {
    scene,
    folder,
    kubeconfigOf,
    async close(services) {
      operator.kill("SIGKILL");
      const admin = await connect({ kind: "kubeconfig", path: kubeconfig, context: "admin" });
      const runs = { namespace: "platform-system" };
      const labelSelector = `platform.company.com/service in (${[scene.service, ...services].join(", ")})`;
      const { items } = await admin.listMetadata(resources.runs, { ...runs, labelSelector });
      for (const service of services) {
        await admin.delete(resources.namespaces, { name: `app-${service}` }).catch(() => undefined);
      }
      await scene.close();
      for (const { metadata } of items) {
        await admin.delete(resources.runs, { ...runs, name: metadata.name }).catch(() => undefined);
      }
      await admin.delete(resources.leases, { ...runs, name: "platform-operator" }).catch(() => undefined);
      await admin.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startOperator(kubeconfig: string, repositories: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ["test/provisioning/operating-process.ts", kubeconfig, repositories, "only"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  if (child.stdout === null) throw new Error("no output");
  await once(child.stdout, "data");
  return child;
}
