import { sandboxStage } from "../../provisioning/sandbox-stage.ts";
import { provisioningStories } from "../../provisioning/stories.ts";

provisioningStories("provisioning in the sandbox", () => sandboxStage());
