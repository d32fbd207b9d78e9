import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeKubeconfig } from "../../../src/sandbox/kubeconfig.ts";
import { openSandbox } from "../../../src/sandbox/open.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import { eventually } from "./client.ts";

const run = promisify(execFile);
const hasKubectl = await run("kubectl", ["version", "--client"]).then(
  () => true,
  () => false,
);

const manifest = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

describe.skipIf(!hasKubectl)("kubectl on a served sandbox (skipped without kubectl)", () => {
  let folder: string;
  let sandbox: Sandbox;
  let environment: NodeJS.ProcessEnv;
  let file: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "platform-kubectl-"));
    sandbox = await openSandbox({ folder: join(folder, "store"), port: 0, speed: 100 });
    const kubeconfig = join(folder, "kubeconfig");
    await writeKubeconfig(kubeconfig, sandbox);
    environment = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
    file = join(folder, "shop.yaml");
    await writeFile(file, manifest);
  });

  afterAll(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function kubectl(...argv: readonly string[]): Promise<string> {
    const { stdout } = await run("kubectl", [...argv], { env: environment });
    return stdout;
  }

  test("applies, gets, describes, reads logs, watches, scales and deletes", async () => {
    expect(await kubectl("apply", "--server-side", "-f", file)).toContain(
      "deployment.apps/web serverside-applied",
    );
    await kubectl("rollout", "status", "-n", "shop", "deployment/web", "--timeout=30s");
    const wide = await kubectl("get", "all", "-n", "shop", "-o", "wide");
    expect(wide).toMatch(/deployment\.apps\/web\s+2\/2\s+2\s+2\s+\S+\s+app\s+nginx:1\.27\s+app=web/);
    expect(wide.match(/^pod\/web-\S+\s+1\/1\s+Running\s+0/gm)).toHaveLength(2);
    expect(wide).toMatch(/service\/web\s+ClusterIP\s+10\.96\.\d+\.\d+\s+<none>\s+80\/TCP/);
    expect(await kubectl("describe", "deployment", "-n", "shop", "web")).toContain("ScalingReplicaSet");
    expect(await kubectl("logs", "-n", "shop", "deployment/web")).not.toBe("");
    const watch = spawn("kubectl", ["get", "deployment", "web", "-n", "shop", "-w", "--no-headers"], {
      env: environment,
    });
    let seen = "";
    watch.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString("utf8");
    });
    await eventually(() => expect(seen).toContain("2/2"));
    await kubectl("scale", "-n", "shop", "deployment/web", "--replicas=3");
    await eventually(() => expect(seen).toContain("3/3"));
    watch.kill();
    await kubectl("delete", "--ignore-not-found", "-f", file);
    await expect(kubectl("get", "namespace", "shop")).rejects.toThrow(/not found/);
  });

  test("creates by its own commands and from files, and shows what is wrong with one", async () => {
    await kubectl("create", "namespace", "made");
    await kubectl("create", "deployment", "web", "-n", "made", "--image=nginx", "--replicas=0", "--port=80");
    await kubectl("create", "secret", "generic", "key", "-n", "made", "--from-literal=a=b");
    expect(await kubectl("get", "secret", "key", "-n", "made", "-o", "jsonpath={.data.a}")).toBe("Yg==");
    expect(await kubectl("get", "deployment", "web", "-n", "made", "-o", "jsonpath={.spec.replicas}")).toBe(
      "0",
    );
    const wrong = join(folder, "wrong.yaml");
    await writeFile(wrong, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndat: {}\n");
    await expect(kubectl("create", "-n", "made", "-f", wrong)).rejects.toThrow(/unknown field "dat"/);
    expect(await kubectl("auth", "can-i", "delete", "pods")).toBe("yes\n");
    expect(await kubectl("explain", "deployment.spec.strategy")).toContain("rollingUpdate");
    await expect(kubectl("label", "namespace", "made", "a=b", "--overwrite")).resolves.toContain("labeled");
  });
});
