import { importStories } from "../../provisioning/import-stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

importStories("imports in the sandbox", () => sandboxStage());
