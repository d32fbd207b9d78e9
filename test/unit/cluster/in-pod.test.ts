import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endpointInPod } from "../../../src/cluster/in-pod.ts";
import { systemTiming } from "../../../src/cluster/timing.ts";

let folder: string;
const environment = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "6443" };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-pod-"));
  await writeFile(join(folder, "ca.crt"), "the authority");
  await writeFile(join(folder, "token"), "first\n");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test("a pod speaks to its cluster as its ServiceAccount", async () => {
  const endpoint = await endpointInPod(environment, systemTiming, folder);
  expect(endpoint).toMatchObject({
    url: "https://10.0.0.1:6443",
    tls: { ca: "the authority", insecure: false },
  });
  expect(await endpoint?.credentials.headers(false)).toEqual({ authorization: "Bearer first" });
});

test("a token that was rotated is read again after a minute, and at once when the old one is refused", async () => {
  let now = new Date(0);
  const endpoint = await endpointInPod(environment, { ...systemTiming, now: () => now }, folder);
  const token = (refresh: boolean) => endpoint?.credentials.headers(refresh);
  await token(false);
  await writeFile(join(folder, "token"), "second");
  expect(await token(false)).toEqual({ authorization: "Bearer first" });
  expect(await token(true)).toEqual({ authorization: "Bearer second" });
  await writeFile(join(folder, "token"), "third");
  now = new Date(60_001);
  expect(await token(false)).toEqual({ authorization: "Bearer third" });
});

test("an address of version 6 is bracketed; outside of a pod there is none", async () => {
  const six = await endpointInPod({ KUBERNETES_SERVICE_HOST: "fd00::1" }, systemTiming, folder);
  expect(six?.url).toBe("https://[fd00::1]:443");
  expect(await endpointInPod({}, systemTiming, folder)).toBeUndefined();
  expect(await endpointInPod(environment, systemTiming, join(folder, "missing"))).toBeUndefined();
});
