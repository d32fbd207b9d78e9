import { crashTest, onSandbox } from "./crash-test.ts";
import { creation } from "./operations.ts";

crashTest(creation, onSandbox());
