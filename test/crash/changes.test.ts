import { onServices } from "./existing.ts";
import { adding, deployment, scaling, setting, takingBack } from "./operations.ts";

onServices("bare", [scaling, deployment, adding]);
// These make the same steps as others: a sample of them is enough for every day.
onServices("all", [setting], 12);
onServices("deployed", [takingBack], 8);
