import { z } from "zod";
import { systemTiming } from "../../src/cluster/timing.ts";
import { findTerraform } from "../../src/terraform/binary.ts";
import { cloudSqlPostgres } from "../../src/terraform/cloudsql.ts";
import { ensureDataStore } from "../../src/terraform/data-store.ts";
import { terraformEnvironment } from "../../src/terraform/environment.ts";
import { lookAtProcesses } from "../../src/terraform/holder.ts";
import { holderFile } from "../../src/terraform/holder-file.ts";
import { openWorkspace } from "../../src/terraform/workspace.ts";
import { database, password, workspace } from "./stage.ts";

// A process that makes a database, for tests to kill. What it needs comes as JSON in its only argument.
const { root, environment } = z
  .object({ root: z.string(), environment: z.record(z.string(), z.string()) })
  .parse(JSON.parse(process.argv[2] ?? ""));

const sql = await openWorkspace({
  binary: await findTerraform(process.env),
  module: cloudSqlPostgres,
  name: workspace,
  place: { kind: "local", folder: root },
  root: `${root}/workspaces`,
  environment: terraformEnvironment(process.env, environment),
  timing: systemTiming,
  holders: holderFile,
  look: lookAtProcesses(async () => undefined),
  run: "demo-create-1",
});
await ensureDataStore(sql, { variables: database(), hidden: { password } });
