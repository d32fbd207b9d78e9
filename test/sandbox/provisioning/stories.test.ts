import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../../src/cluster/connect.ts";
import { openSandbox } from "../../../src/sandbox/open.ts";
import { provisioningStories } from "../../provisioning/stories.ts";

provisioningStories("provisioning in the sandbox", async () => {
  const folder = await mkdtemp(join(tmpdir(), "platform-stories-"));
  const sandbox = await openSandbox({ folder, speed: 100 });
  const cluster = await connect({
    kind: "endpoint",
    url: sandbox.url,
    token: sandbox.token,
    socketPath: sandbox.socketPath,
    context: "sandbox",
    simulated: true,
  });
  return {
    cluster,
    async close() {
      await cluster.close();
      await sandbox.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
