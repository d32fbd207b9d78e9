import { contractSuite } from "../contract/suite.ts";
import { endpointOf, sandboxStage } from "../provisioning/sandbox-stage.ts";

contractSuite("the sandbox", async () => {
  const { sandbox, close } = await sandboxStage();
  return { connection: endpointOf(sandbox), close };
});
