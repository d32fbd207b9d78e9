import { describe } from "vitest";
import { migrationStories } from "../../operator/migration-stories.ts";
import { embedded } from "../embedded.ts";

const cluster = embedded();

describe("migrations of applied Applications", () => {
  migrationStories({ cluster, unique: (prefix) => prefix, fails: true });
});
