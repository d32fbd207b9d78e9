import { onServices } from "./existing.ts";
import { cleanup, deletion, rollback } from "./operations.ts";

onServices("database", [{ subject: rollback }, { subject: deletion }]);
// Its steps are those of a deletion: a sample of them is enough for every day.
onServices("kept", [{ subject: cleanup, most: 8 }]);
