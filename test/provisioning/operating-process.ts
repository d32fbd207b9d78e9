import { connect } from "../../src/cluster/connect.ts";
import { systemTiming } from "../../src/cluster/timing.ts";
import { cloudNativePgStores } from "../../src/provisioning/data-stores/cloudnative-pg.ts";
import { composition } from "./composition.ts";
import { operating } from "./operating.ts";

// A process of its own that executes runs on a real cluster as the operator's ServiceAccount: to be killed.
const [path, repositories, name] = process.argv.slice(2);
if (path === undefined || repositories === undefined || name === undefined) process.exit(2);
const cluster = await connect({ kind: "kubeconfig", path, context: "platform-operator" });
const cloud = cloudNativePgStores({ cluster, clock: systemTiming, readyWithinMs: 60_000 });
const operator = await operating(cluster, await composition(cluster, repositories), { name, cloud });
process.stdout.write("alive\n");
process.once("SIGTERM", () => void operator.stop().then(() => process.exit(0)));
