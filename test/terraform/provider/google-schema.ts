import type { Attribute, Block, CtyType } from "./schema.ts";

const required = (type: CtyType, more: Partial<Attribute> = {}): Attribute => ({
  type,
  required: true,
  ...more,
});
const optional = (type: CtyType, more: Partial<Attribute> = {}): Attribute => ({
  type,
  optional: true,
  ...more,
});
const computed = (type: CtyType, more: Partial<Attribute> = {}): Attribute => ({
  type,
  computed: true,
  ...more,
});
const either = (type: CtyType, more: Partial<Attribute> = {}): Attribute => ({
  type,
  optional: true,
  computed: true,
  ...more,
});
const listOf = (fields: Readonly<Record<string, CtyType>>): CtyType => ["list", ["object", fields]];
const id: Attribute = either("string");
const project: Attribute = either("string", { forceNew: true });

/** Of `google_sql_database_instance`, what the modules use: names, types and what forces a new one, as in hashicorp/google 7.43. */
export const sqlInstance: Block = {
  attributes: {
    id,
    project,
    name: either("string", { forceNew: true }),
    region: either("string", { forceNew: true }),
    database_version: required("string"),
    deletion_protection: optional("bool", { default: true }),
    encryption_key_name: either("string", { forceNew: true }),
    connection_name: computed("string"),
    dns_name: computed("string"),
    first_ip_address: computed("string"),
    private_ip_address: computed("string"),
    public_ip_address: computed("string"),
    self_link: computed("string"),
    service_account_email_address: computed("string"),
    ip_address: computed(listOf({ ip_address: "string", type: "string", time_to_retire: "string" })),
    server_ca_cert: computed(
      listOf({
        cert: "string",
        common_name: "string",
        create_time: "string",
        expiration_time: "string",
        sha1_fingerprint: "string",
      }),
      { sensitive: true },
    ),
  },
  blocks: {
    clone: {
      nesting: "LIST",
      max: 1,
      attributes: {
        source_instance_name: required("string"),
        point_in_time: optional("string"),
        preferred_zone: optional("string"),
        database_names: optional(["list", "string"]),
        allocated_ip_range: optional("string"),
      },
    },
    settings: {
      nesting: "LIST",
      max: 1,
      attributes: {
        version: computed("number"),
        tier: required("string"),
        edition: either("string"),
        activation_policy: optional("string", { default: "ALWAYS" }),
        availability_type: optional("string", { default: "ZONAL" }),
        connector_enforcement: either("string"),
        deletion_protection_enabled: optional("bool"),
        disk_autoresize: optional("bool", { default: true }),
        disk_autoresize_limit: optional("number", { default: 0 }),
        disk_size: either("number"),
        disk_type: either("string", { forceNew: true }),
        pricing_plan: optional("string", { default: "PER_USE" }),
        retain_backups_on_delete: optional("bool"),
        user_labels: either(["map", "string"]),
      },
      blocks: {
        ip_configuration: {
          nesting: "LIST",
          max: 1,
          attributes: {
            ipv4_enabled: optional("bool", { default: true }),
            private_network: optional("string"),
            allocated_ip_range: optional("string"),
            ssl_mode: either("string"),
            server_ca_mode: either("string"),
          },
        },
        backup_configuration: {
          nesting: "LIST",
          max: 1,
          attributes: {
            enabled: optional("bool"),
            location: optional("string"),
            point_in_time_recovery_enabled: optional("bool"),
            start_time: either("string"),
            transaction_log_retention_days: either("number"),
          },
          blocks: {
            backup_retention_settings: {
              nesting: "LIST",
              max: 1,
              attributes: {
                retained_backups: required("number"),
                retention_unit: optional("string", { default: "COUNT" }),
              },
            },
          },
        },
        final_backup_config: {
          nesting: "LIST",
          max: 1,
          attributes: { enabled: optional("bool"), retention_days: optional("number") },
        },
        maintenance_window: {
          nesting: "LIST",
          max: 1,
          attributes: {
            day: optional("number"),
            hour: optional("number"),
            update_track: optional("string"),
          },
        },
        database_flags: {
          nesting: "SET",
          attributes: { name: required("string"), value: required("string") },
        },
      },
    },
  },
};

export const sqlDatabase: Block = {
  attributes: {
    id,
    project,
    instance: required("string", { forceNew: true }),
    name: required("string", { forceNew: true }),
    charset: either("string"),
    collation: either("string"),
    deletion_policy: optional("string", { default: "DELETE" }),
    self_link: computed("string"),
  },
};

export const sqlUser: Block = {
  attributes: {
    id,
    project,
    instance: required("string", { forceNew: true }),
    name: required("string", { forceNew: true }),
    host: either("string", { forceNew: true }),
    type: optional("string", { forceNew: true }),
    password: optional("string", { sensitive: true }),
    password_wo: optional("string", { sensitive: true, writeOnly: true }),
    password_wo_version: optional("number"),
    deletion_policy: optional("string"),
  },
};

export const redisInstance: Block = {
  attributes: {
    id,
    project,
    name: required("string", { forceNew: true }),
    region: either("string", { forceNew: true }),
    tier: optional("string", { forceNew: true, default: "BASIC" }),
    memory_size_gb: required("number"),
    redis_version: either("string"),
    authorized_network: either("string", { forceNew: true }),
    connect_mode: optional("string", { forceNew: true, default: "DIRECT_PEERING" }),
    auth_enabled: optional("bool", { default: false }),
    transit_encryption_mode: optional("string", { forceNew: true, default: "DISABLED" }),
    deletion_protection: optional("bool"),
    labels: optional(["map", "string"]),
    effective_labels: computed(["map", "string"]),
    terraform_labels: computed(["map", "string"]),
    host: computed("string"),
    port: computed("number"),
    create_time: computed("string"),
    auth_string: computed("string", { sensitive: true }),
    server_ca_certs: computed(
      listOf({
        cert: "string",
        create_time: "string",
        expire_time: "string",
        serial_number: "string",
        sha1_fingerprint: "string",
      }),
    ),
  },
  blocks: {
    maintenance_policy: {
      nesting: "LIST",
      max: 1,
      attributes: {
        description: optional("string"),
        create_time: computed("string"),
        update_time: computed("string"),
      },
      blocks: {
        weekly_maintenance_window: {
          nesting: "LIST",
          attributes: { day: required("string"), duration: computed("string") },
          blocks: {
            start_time: {
              nesting: "LIST",
              max: 1,
              attributes: {
                hours: optional("number"),
                minutes: optional("number"),
                seconds: optional("number"),
                nanos: optional("number"),
              },
            },
          },
        },
      },
    },
  },
};

/** Of the ephemeral `google_secret_manager_secret_version`: all of it. */
export const secretVersion: Block = {
  attributes: {
    project: either("string"),
    secret: required("string"),
    version: optional("string"),
    is_secret_data_base64: optional("bool"),
    secret_data: computed("string", { sensitive: true }),
    name: computed("string"),
    create_time: computed("string"),
    destroy_time: computed("string"),
    enabled: computed("bool"),
  },
};

/** Of the provider's own configuration: what the modules set. */
export const providerConfiguration: Block = {
  attributes: { project: optional("string"), region: optional("string") },
};
