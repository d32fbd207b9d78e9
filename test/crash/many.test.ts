import { manyStories } from "../provisioning/many-stories.ts";
import { sandboxStage } from "../provisioning/sandbox-stage.ts";

manyStories("many creations in the sandbox", () => sandboxStage(), 3);
