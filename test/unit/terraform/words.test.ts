import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backendConfiguration, instanceName, workspaceName } from "../../../src/terraform/backend.ts";
import { cloudSqlVariablesSchema } from "../../../src/terraform/cloudsql.ts";
import { failureIn } from "../../../src/terraform/diagnostics.ts";
import { terraformEnvironment } from "../../../src/terraform/environment.ts";
import { eventIn } from "../../../src/terraform/events.ts";
import { createRedactor } from "../../../src/terraform/redact.ts";

const same = (text: string) => text;
const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,44}[a-z0-9])?$/);

describe("a workspace's name", () => {
  test("is a label's value, ends in no number, and is another for any other data store", () => {
    const identity = fc.record({
      namespace: label,
      name: label,
      store: fc.constantFrom("db" as const, "cache" as const),
    });
    fc.assert(
      fc.property(identity, identity, (one, other) => {
        const name = workspaceName(one);
        expect(name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z])$/);
        const equal =
          one.namespace === other.namespace && one.name === other.name && one.store === other.store;
        expect(workspaceName(other) === name).toBe(equal);
      }),
    );
  });

  test("gives its instance one that both clouds' rules allow, and another when the service is made anew", () => {
    fc.assert(
      fc.property(label, label, fc.uuid(), fc.uuid(), (namespace, name, one, other) => {
        const identity = { namespace, name, store: "cache" } as const;
        expect(instanceName(identity, one)).toMatch(/^[a-z][a-z0-9-]{0,39}[a-z0-9]$/);
        expect(instanceName(identity, one) === instanceName(identity, other)).toBe(one === other);
      }),
    );
  });

  test("is where the state is, in each kind of place", () => {
    const name = workspaceName({ namespace: "app-demo", name: "demo", store: "db" });
    expect(
      backendConfiguration(
        { kind: "kubernetes", namespace: "platform-state", access: { kind: "in-cluster" } },
        name,
      ),
    ).toEqual({ namespace: "platform-state", secret_suffix: name, in_cluster_config: true });
    expect(backendConfiguration({ kind: "gcs", bucket: "acme-states" }, name)).toEqual({
      bucket: "acme-states",
      prefix: `platform/${name}`,
    });
    expect(backendConfiguration({ kind: "s3", bucket: "acme-states", region: "eu-west-1" }, name)).toEqual({
      bucket: "acme-states",
      region: "eu-west-1",
      key: `platform/${name}/terraform.tfstate`,
      workspace_key_prefix: `platform/${name}`,
      encrypt: true,
      use_lockfile: true,
    });
  });
});

describe("a secret", () => {
  test("is in no text that is told, however it is written", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), fc.string(), (secret, around) => {
        const told = createRedactor([secret]);
        for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
          fc.pre(!around.includes(form) && !"(hidden)".includes(form));
          expect(told(`${around} ${form} ${around}`)).toContain("(hidden)");
        }
      }),
    );
  });

  test("of the environment that nobody needs does not reach Terraform", () => {
    const environment = terraformEnvironment({
      PATH: "/bin",
      TF_VAR_password: "x",
      TF_LOG: "trace",
      TF_CLI_CONFIG_FILE: "/is/not/there",
      TF_CLI_ARGS_plan: "-destroy",
      KUBE_TOKEN: "x",
      GITHUB_TOKEN: "x",
      GOOGLE_APPLICATION_CREDENTIALS: "/key.json",
      GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT: "http://elsewhere",
      AWS_ENDPOINT_URL_S3: "http://elsewhere",
    });
    expect(environment).toEqual({
      PATH: "/bin",
      GOOGLE_APPLICATION_CREDENTIALS: "/key.json",
      LC_ALL: "C",
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      CHECKPOINT_DISABLE: "1",
    });
  });
});

describe("a line of Terraform", () => {
  test("of a type that is not known, or none at all, is passed over", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(eventIn(line, same)).toBeUndefined();
      }),
    );
    expect(eventIn('{"type":"something_new","hook":{}}', same)).toBeUndefined();
  });

  test("tells no output that is sensitive", () => {
    expect(
      eventIn(
        '{"type":"outputs","outputs":{"a":{"sensitive":true,"value":"x"},"b":{"sensitive":false,"value":1}}}',
        same,
      ),
    ).toEqual({ type: "outputs", values: { b: 1 } });
  });

  test("is cleaned of what would rewrite a screen", () => {
    const event = eventIn(
      JSON.stringify({
        type: "diagnostic",
        diagnostic: { severity: "error", summary: "bad \x1b[2Jthing", detail: "\x1b]0;title\x07x" },
      }),
      createRedactor([]),
    );
    expect(event).toMatchObject({ summary: "bad thing", detail: "x" });
  });
});

describe("a failure", () => {
  test.each([
    ["googleapi: Error 429: rateLimitExceeded", "quota", "refused"],
    ["dial tcp: lookup storage.googleapis.com: no such host", "unreachable", "unreachable"],
    ["could not find default credentials", "credentials", "rights"],
    ["Invalid value for variable", "invalid", "invalid"],
    ["Saved plan is stale", "stale-plan", "transient"],
    ["The instance is protected. Please disable the deletion protection", "protected", "refused"],
    ['writing "gs://b/default.tflock" failed: Error 412, conditionNotMet', "locked", "transient"],
    ["api error ExpiredToken: The provided token has expired.", "credentials", "rights"],
    ["https response error StatusCode: 503, api error SlowDown", "unreachable", "unreachable"],
    ["api error PermanentRedirect: The bucket must be addressed elsewhere", "invalid", "invalid"],
    ["something that nobody knows", "provider", "refused"],
  ])("that says %j is of problem %s", (summary, problem, errorClass) => {
    const failure = failureIn(
      [{ type: "diagnostic", severity: "error", summary, detail: "", address: "" }],
      "the plan",
      "nothing was changed",
    );
    expect(failure).toMatchObject({
      problem,
      class: errorClass,
      message: `the plan failed: ${summary}; nothing was changed`,
    });
  });
});

describe("a database's values", () => {
  test.each(["postgres", "Postgres", "pg_monitor", "cloudsqlsuperuser", "CloudSQLadmin"])(
    "name no user of PostgreSQL's or Google's own: %s",
    (user) => {
      const values = { project: "p", name: "n", database: "d", tier: "t", labels: {}, user };
      expect(cloudSqlVariablesSchema.safeParse(values).success).toBe(false);
      expect(cloudSqlVariablesSchema.safeParse({ ...values, user: "app_demo" }).success).toBe(true);
    },
  );
});
