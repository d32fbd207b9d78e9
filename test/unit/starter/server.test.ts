import { afterEach, beforeEach, expect, it } from "vitest";
import { type Starter, startStarter } from "../../../src/starter/server.ts";

let starter: Starter;
let now = 0;
const options = { host: "127.0.0.1", port: 0, metricsPort: 0, service: "ledger", now: () => (now += 20) };

beforeEach(async () => {
  starter = await startStarter(options);
});

afterEach(() => starter.close());

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
};

it("answers what the platform's probes ask, and says what it is", async () => {
  expect(await get(starter.port, "/healthz")).toMatchObject({ status: 200 });
  expect((await get(starter.port, "/")).text).toMatch(/"service":"ledger","starter":true/);
  expect(await get(starter.port, "/nothing")).toMatchObject({ status: 404 });
  expect(await get(starter.port, "/metrics")).toMatchObject({ status: 404 });
});

it("counts and times its requests under the names the alerts are made of", async () => {
  await get(starter.port, "/");
  await get(starter.port, "/");
  const { text } = await get(starter.metricsPort, "/metrics");
  expect(text).toContain('http_requests_total{method="get",code="200"} 2\n');
  expect(text).toContain('http_request_duration_seconds_bucket{method="get",code="200",le="0.01"} 0\n');
  expect(text).toContain('http_request_duration_seconds_bucket{method="get",code="200",le="0.025"} 2\n');
  expect(text).toContain('http_request_duration_seconds_count{method="get",code="200"} 2\n');
});

it("listens on nothing when one of its ports is taken", async () => {
  await expect(startStarter({ ...options, metricsPort: starter.metricsPort })).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});
