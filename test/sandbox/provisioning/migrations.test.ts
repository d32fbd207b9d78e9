import { migrationStories } from "../../provisioning/migration-stories.ts";
import { sandboxStage } from "../../provisioning/sandbox-stage.ts";

migrationStories("migrations in the sandbox", () => sandboxStage(), { fails: true });
