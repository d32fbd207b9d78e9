import { existsSync } from "node:fs";

/** What Terraform's process may see of this one's environment: how to find programs, the network and credentials. */
const passedOn = [
  ...["PATH", "HOME", "USER", "TMPDIR", "TF_CLI_CONFIG_FILE"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"],
  ...["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN"],
  ...["GOOGLE_IMPERSONATE_SERVICE_ACCOUNT", "CLOUDSDK_CONFIG", "GCE_METADATA_HOST"],
  // Of states alone, where they are another account's.
  ...["GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT"],
  ...["AWS_PROFILE", "AWS_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"],
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
  ...["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"],
  ...["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
  ...["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"],
] as const;

/**
 * The environment of Terraform's process. Nobody's `TF_VAR_…`, `TF_CLI_ARGS…`, `TF_LOG…`, `TF_WORKSPACE` or
 * `KUBE_…` reaches it, which would change what it does or tell what it must not.
 * @param extra - for tests: how to reach a provider that runs already
 */
export function terraformEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of passedOn) {
    const value = environment[name];
    // Of a file that is not there OpenTofu warns in front of its JSON.
    const isMissing = name === "TF_CLI_CONFIG_FILE" && value !== undefined && !existsSync(value);
    if (value !== undefined && !isMissing) env[name] = value;
  }
  return {
    ...env,
    LC_ALL: "C",
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    CHECKPOINT_DISABLE: "1",
    ...extra,
  };
}
