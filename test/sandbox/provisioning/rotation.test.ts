import { rotationStories } from "../../provisioning/rotation-stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

rotationStories("rotations in the sandbox", () => sandboxStage());
