import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSandbox } from "../../src/sandbox/open.ts";
import { contractSuite } from "../contract/suite.ts";

contractSuite("the sandbox", async () => {
  const folder = await mkdtemp(join(tmpdir(), "platform-contract-"));
  const sandbox = await openSandbox({ folder, speed: 100 });
  return {
    connection: {
      kind: "endpoint",
      url: sandbox.url,
      token: sandbox.token,
      socketPath: sandbox.socketPath,
      context: "sandbox",
      simulated: true,
    },
    async close() {
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
