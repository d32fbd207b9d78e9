import { onServices } from "./existing.ts";
import { adding, deployment, scaling, setting, takingBack } from "./operations.ts";

// The others make the same steps as a deployment: a sample of them is enough for every day.
onServices("bare", [{ subject: deployment }, { subject: scaling, most: 12 }, { subject: adding, most: 12 }]);
onServices("all", [{ subject: setting, most: 8 }]);
onServices("deployed", [{ subject: takingBack, most: 8 }]);
