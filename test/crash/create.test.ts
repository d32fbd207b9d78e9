import { crashTest } from "./crash-test.ts";
import { creation } from "./operations.ts";

crashTest(creation);
