import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { serviceNameSchema } from "../../src/application/names.ts";
import type { Language } from "../../src/application/request.ts";
import { skeletonFiles } from "../../src/delivery/skeleton.ts";

const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "template-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function render(language: Language): Promise<void> {
  for (const { path, content } of await skeletonFiles(language, serviceNameSchema.parse("api-gateway"))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The body once the server answers with 200. */
async function body(url: string): Promise<string> {
  for (const deadline = Date.now() + 20_000; ; ) {
    try {
      const response = await fetch(url);
      if (response.ok) return await response.text();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts the service, looks at what the platform looks at, and stops it as Kubernetes does. */
async function serves(command: string, args: readonly string[]): Promise<void> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const env = { ...process.env, PORT: String(port), METRICS_PORT: String(metricsPort) };
  const service: ChildProcess = spawn(command, args, { cwd: folder, env, stdio: "ignore" });
  try {
    expect(await body(`http://127.0.0.1:${port}/healthz`)).toContain("ok");
    expect(await body(`http://127.0.0.1:${port}/`)).toContain("api-gateway");
    expect(await body(`http://127.0.0.1:${metricsPort}/metrics`)).toMatch(
      /http_requests_total\{.*code="200"/,
    );
    service.kill("SIGTERM");
    expect(await once(service, "exit")).toEqual([0, null]);
  } finally {
    service.kill("SIGKILL");
  }
}

it("the Go skeleton builds, passes its tests and serves", async () => {
  await render("go");
  expect((await run("gofmt", ["-l", "."], { cwd: folder })).stdout).toBe("");
  await run("go", ["vet", "./..."], { cwd: folder });
  await run("go", ["test", "./..."], { cwd: folder });
  await run("go", ["build", "-o", "service", "."], { cwd: folder });
  await serves(join(folder, "service"), []);
});

it("the TypeScript skeleton builds, passes its tests and serves", async () => {
  await render("typescript");
  await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder });
  await run("npm", ["test"], { cwd: folder });
  await serves(process.execPath, ["dist/main.js"]);
});
