import { orphanStories } from "../../provisioning/orphan-stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

orphanStories("orphans in the sandbox", () => sandboxStage(), { snapshots: true });
