import { onServices } from "./existing.ts";
import { cleanup, deletion, rollback } from "./operations.ts";

onServices("database", [rollback, deletion]);
// Its steps are those of a deletion: a sample of them is enough for every day.
onServices("kept", [cleanup], 8);
