import { faultStories } from "../../provisioning/fault-stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

faultStories("provisioning in the sandbox, where a step fails", () => sandboxStage());
