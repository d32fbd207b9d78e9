import { changeStories } from "../../provisioning/change-stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

changeStories("changes in the sandbox", () => sandboxStage(), "image");
