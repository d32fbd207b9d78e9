import { onServices } from "./existing.ts";
import { adding, deployment, scaling, setting, takingBack } from "./operations.ts";

onServices("bare", [scaling, deployment]);
// These make the same steps as others: a sample of them is enough for every day.
onServices("bare", [adding], 20);
onServices("all", [setting], 12);
onServices("deployed", [takingBack], 8);
