import { test } from "vitest";
import { contractSuite } from "../contract/suite.ts";
import { skipped, testConnection } from "./connection.ts";

const connection = testConnection();
if (connection === undefined) test.skip(`the contract on a real API server (${skipped})`);
else contractSuite("a real API server", async () => ({ connection, close: async () => undefined }));
