import { backupStories } from "../../provisioning/backup-stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

backupStories("backups in the sandbox", () => sandboxStage());
