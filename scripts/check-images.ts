/**
 * Runs the program's own images as they are deployed, and fails where one does not run so: arguments, environment, user,
 * rights, folders and probes are those of the Deployment that the image itself prints. No container has a network,
 * so that nothing is downloaded; the operator works on the sandbox.
 *
 *     npm run check:images                                            # builds both first
 *     npm run check:images -- --platform IMAGE --starter IMAGE
 *
 * Needs docker, or what CONTAINER_ENGINE names and takes the same commands, such as podman.
 */
import { readdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const engine = process.env.CONTAINER_ENGINE ?? "docker";

const probeSchema = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const podSchema = z.object({
  securityContext: z.object({ runAsUser: z.number(), runAsGroup: z.number() }),
  terminationGracePeriodSeconds: z.number(),
  containers: z.tuple([
    z.object({
      args: z.array(z.string()),
      env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
      ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
      securityContext: z.object({
        allowPrivilegeEscalation: z.literal(false),
        capabilities: z.object({ drop: z.array(z.string()) }),
        readOnlyRootFilesystem: z.literal(true),
      }),
      startupProbe: probeSchema.extend({ periodSeconds: z.number(), failureThreshold: z.number() }),
      livenessProbe: probeSchema,
      readinessProbe: probeSchema,
      volumeMounts: z.array(z.object({ mountPath: z.string() })),
    }),
  ]),
});
type Pod = z.output<typeof podSchema>;

/** An image, and the path of Node in it. */
interface Image {
  readonly reference: string;
  readonly node: string;
}

/** What the engine wrote to its output. @throws ExecaError where it fails */
async function run(...args: readonly string[]): Promise<string> {
  return (await execa(engine, args, { stdin: "ignore" })).stdout;
}

async function check(what: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    console.error(`FAILED  ${what}`);
    throw error;
  }
  console.log(`ok      ${what}`);
}

/** The image's Deployment of the operator, as `platform install --print` has it. */
async function deployedPod({ reference }: Image): Promise<Pod> {
  const printed = await run(
    ...["run", "--rm", "--network", "none", reference],
    ...["install", "--print", "--operator-image", reference],
  );
  const deployments = parseAllDocuments(printed)
    .map((document): unknown => document.toJS())
    .map((object) => z.object({ kind: z.string(), spec: z.unknown() }).safeParse(object).data)
    .filter((object) => object?.kind === "Deployment");
  return z
    .tuple([z.object({ spec: z.object({ template: z.object({ spec: podSchema }) }) })])
    .parse(deployments)[0].spec.template.spec;
}

/** The engine's flags for what the pod says of users, rights and folders. */
function restrictions({ securityContext: { runAsUser, runAsGroup }, containers: [container] }: Pod) {
  return [
    ...["--network", "none", "--read-only", "--security-opt", "no-new-privileges"],
    ...["--user", `${runAsUser}:${runAsGroup}`],
    ...container.securityContext.capabilities.drop.flatMap((name) => ["--cap-drop", name]),
    // Like an emptyDir: what is written there can be executed, as Terraform does with providers.
    ...container.volumeMounts.flatMap(({ mountPath }) => ["--tmpfs", `${mountPath}:rw,exec,mode=1777`]),
  ];
}

function environment({ containers: [{ env }] }: Pod): readonly string[] {
  return env.flatMap(({ name, value }) => (value === undefined ? [] : ["--env", `${name}=${value}`]));
}

/** Run in a container: waits until each URL answers well. */
const answers = `
  const [milliseconds, ...urls] = process.argv.slice(1);
  const end = Date.now() + Number(milliseconds);
  for (const url of urls) {
    for (;;) {
      const answer = await fetch(url).catch((error) => ({ ok: false, status: error.cause?.code ?? error.message }));
      if (answer.ok) break;
      if (Date.now() > end) throw new Error(url + " answers " + answer.status);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }`;

/** Starts a container that serves, asks it, stops it, and sees that it ended in good order. */
async function serves(
  image: Image,
  flags: readonly string[],
  args: readonly string[],
  asked: { readonly paths: readonly string[]; readonly startSeconds: number; readonly stopSeconds: number },
): Promise<void> {
  const id = await run("run", "--detach", ...flags, image.reference, ...args);
  try {
    // Kubernetes asks from outside: whoever listens on 127.0.0.1 alone does not answer here either.
    const urls = asked.paths.map((path) => `http://127.0.0.2:${path}`);
    const evaluate = [image.node, "--input-type=module", "--eval", answers];
    await run("exec", id, ...evaluate, "--", String(asked.startSeconds * 1000), ...urls);
    await run("stop", "-t", String(asked.stopSeconds), id);
    const code = await run("inspect", "--format", "{{.State.ExitCode}}", id);
    if (code !== "0") throw new Error(`it ended with ${code} when it was asked to stop`);
  } catch (error) {
    const { all } = await execa(engine, ["logs", id], { all: true, reject: false });
    throw new Error(`${image.reference} ${args.join(" ")} wrote:\n${all}`, { cause: error });
  } finally {
    await run("rm", "--force", id);
  }
}

/** Run in a container: fails where something in our folder can be written, or not be read. */
const protectedFiles = `
  import { accessSync, constants, readdirSync } from "node:fs";
  for (const { parentPath, name } of readdirSync("/platform", { recursive: true, withFileTypes: true })) {
    const path = parentPath + "/" + name;
    accessSync(path, constants.R_OK);
    let writable = true;
    try { accessSync(path, constants.W_OK); } catch { writable = false; }
    if (writable) throw new Error(path + " can be written");
  }`;

async function checkFiles(image: Image, pod: Pod): Promise<void> {
  const { runAsUser, runAsGroup } = pod.securityContext;
  await run(
    // Not read-only, where nothing could be written in any case.
    ...[
      "run",
      "--rm",
      "--network",
      "none",
      "--user",
      `${runAsUser}:${runAsGroup}`,
      "--entrypoint",
      image.node,
    ],
    ...[image.reference, "--input-type=module", "--eval", protectedFiles],
  );
}

async function checkPlatform(image: Image, pod: Pod): Promise<void> {
  const [container] = pod.containers;
  const flags = [...restrictions(pod), ...environment(pod)];
  const command = (entrypoint: string, ...args: string[]) =>
    run("run", "--rm", ...flags, "--entrypoint", entrypoint, image.reference, ...args);
  await check("platform: the doctor finds the sandbox well", () =>
    run("run", "--rm", ...flags, image.reference, "--sandbox", "doctor"),
  );
  await check("platform: a service is created, with its repository", () =>
    run(
      "run",
      "--rm",
      ...flags,
      image.reference,
      "--sandbox",
      "service",
      "create",
      "demo",
      "--language",
      "go",
    ),
  );
  await check("platform: Git speaks HTTPS, and SSH knows its user", async () => {
    await command("sh", "-c", 'test -x "$(git --exec-path)/git-remote-https"');
    await command("ssh", "-G", "localhost");
  });
  await check("platform: nothing of it can be written", () => checkFiles(image, pod));
  const { startupProbe, livenessProbe, readinessProbe } = container;
  const paths = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => {
    const port = container.ports.find(({ name }) => name === httpGet.port)?.containerPort;
    return `${port}${httpGet.path}`;
  });
  const metrics = container.ports.find(({ name }) => name === "metrics")?.containerPort;
  await check("platform: the operator answers its probes, and stops when it is asked to", () =>
    serves(image, flags, ["--sandbox", ...container.args], {
      paths: [...paths, `${metrics}/metrics`],
      startSeconds: startupProbe.periodSeconds * startupProbe.failureThreshold,
      stopSeconds: pod.terminationGracePeriodSeconds,
    }),
  );
}

async function checkStarter(image: Image, pod: Pod): Promise<void> {
  await check("starter: nothing of it can be written", () => checkFiles(image, pod));
  await check("starter: it answers on the ports of a service, and stops when it is asked to", () =>
    serves(image, restrictions(pod), [], {
      paths: ["8080/healthz", "9090/metrics"],
      startSeconds: 30,
      stopSeconds: 30,
    }),
  );
}

/** Each module finds its providers beside Terraform, and the providers take it as it is. */
async function checkTerraform(image: Image, pod: Pod): Promise<void> {
  const script =
    'cp -r "$0" /tmp/module; cd /tmp/module; terraform init -no-color -backend=false; terraform validate -no-color';
  for (const module of await readdir("terraform/modules")) {
    await check(`platform: Terraform has the providers of ${module}, and they take it`, () =>
      run(
        ...["run", "--rm", ...restrictions(pod), ...environment(pod), "--entrypoint", "sh", image.reference],
        ...["-ec", script, `/platform/terraform/modules/${module}`],
      ),
    );
  }
}

/** The image that is given, or one that is built here. */
async function imageOf(target: string, given: string | undefined, node: string): Promise<Image> {
  if (given !== undefined) return { reference: given, node };
  const reference = `localhost/platform-${target}:check`;
  await execa(engine, ["build", "--target", target, "--tag", reference, "."], { stdio: "inherit" });
  return { reference, node };
}

const { values } = parseArgs({ options: { platform: { type: "string" }, starter: { type: "string" } } });
const platform = await imageOf("platform", values.platform, "node");
const starter = await imageOf("starter", values.starter, "/nodejs/bin/node");
const pod = await deployedPod(platform);
await checkStarter(starter, pod);
await checkPlatform(platform, pod);
await checkTerraform(platform, pod);
