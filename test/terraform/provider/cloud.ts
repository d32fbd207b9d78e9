import { randomBytes } from "node:crypto";
import { redisInstance, sqlDatabase, sqlInstance, sqlUser } from "./google-schema.ts";
import { type Block, decided } from "./schema.ts";
import { isValues, textOf, type Value, type Values } from "./values.ts";

const certificate = "-----BEGIN CERTIFICATE-----";

/** What Google, or its provider, answers to what cannot be done. */
export class CloudError extends Error {
  override readonly name = "CloudError";
}

/** A kind of resource in the cloud: what its provider does with it. All are given values of Terraform's schema. */
export interface Kind {
  readonly block: Block;
  /** What no two may share, with the project. */
  key(values: Values): string;
  /** What an ID to import says. */
  fromId(id: string): Values;
  create(values: Values, config: Values): Values;
  /** What an import adds that the cloud does not know. */
  readonly imported?: Values;
  update(values: Values, config: Values, prior: Values): void;
  remove(values: Values): void;
}

/** A Google project as far as the modules use it; it lives as long as the test, whatever becomes of any process. */
export class Cloud {
  /** By type, then by key. */
  readonly resources = new Map<string, Map<string, Values>>();
  /** Instances' names that Google lets nobody use for a week. */
  readonly burnt = new Set<string>();
  readonly finalBackups: string[] = [];
  /** Secret Manager: by `projects/P/secrets/S/versions/V`. */
  readonly secrets = new Map<string, string>();
  /** Whether clones fail once they are there, with all that their source has: its settings among it. */
  clonesStopHalfway = false;
  /** From when on any moment of an instance can be brought back. */
  logsSince = new Date(0);
  /** All that logins and caches ever had. */
  readonly everPasswords = new Set<string>();
  readonly #passwords = new Map<string, string>();
  readonly kinds: Readonly<Record<string, Kind>>;
  readonly project: string;

  constructor(project: string) {
    this.project = project;
    this.kinds = {
      google_sql_database_instance: this.#instances(),
      google_sql_database: this.#databases(),
      google_sql_user: this.#users(),
      google_redis_instance: this.#caches(),
    };
  }

  of(type: string): Map<string, Values> {
    const found = this.resources.get(type) ?? new Map<string, Values>();
    this.resources.set(type, found);
    return found;
  }

  kind(type: string): Kind {
    const kind = this.kinds[type];
    if (kind === undefined) throw new CloudError(`no such type of resource: ${type}`);
    return kind;
  }

  /** Whether PostgreSQL would let somebody in. */
  login(instance: string, user: string, password: string): boolean {
    return this.#passwords.get(`${instance}/${user}`) === password;
  }

  #instances(): Kind {
    const type = "google_sql_database_instance";
    return {
      block: sqlInstance,
      key: (values) => textOf(values, "name"),
      fromId: (id) => ({ name: id.split("/").at(-1) ?? "" }),
      imported: { deletion_protection: true },
      create: (values) => {
        const name = textOf(values, "name");
        if (this.burnt.has(name)) {
          throw new CloudError(
            `Error, failed to create instance ${name}: googleapi: Error 409: The Cloud SQL instance already exists. When you delete an instance, you can't reuse the name of the deleted instance until one week from the deletion date., instanceAlreadyExists`,
          );
        }
        const source = this.#cloned(first(values.clone), name);
        if (source !== undefined && this.clonesStopHalfway) {
          this.of(type).set(name, { ...source, name, id: name });
          throw new CloudError(`Error, failed to update instance settings for ${name}: connection reset`);
        }
        const settings = first(values.settings);
        const network = first(settings?.ip_configuration)?.private_network;
        const address = source === undefined ? "10.20.0.3" : "10.20.0.4";
        const privateAddress = typeof network === "string" ? address : "";
        const region = typeof values.region === "string" ? values.region : "us-central1";
        return decided(sqlInstance, values, {
          id: name,
          project: this.project,
          region,
          connection_name: `${this.project}:${region}:${name}`,
          private_ip_address: privateAddress,
          public_ip_address: privateAddress === "" ? "203.0.113.9" : "",
          first_ip_address: privateAddress === "" ? "203.0.113.9" : privateAddress,
          self_link: `https://sqladmin.googleapis.com/sql/v1beta4/projects/${this.project}/instances/${name}`,
          server_ca_cert: [
            {
              cert: certificate,
              common_name: "",
              create_time: "",
              expiration_time: "",
              sha1_fingerprint: "",
            },
          ],
          ip_address: [],
          settings: [{ version: 1 }],
        });
      },
      update: () => {},
      remove: (values) => {
        const name = textOf(values, "name");
        if (values.deletion_protection !== false) {
          throw new CloudError(
            "Error, failed to delete instance because deletion_protection is set to true. Set it to false to proceed with instance deletion",
          );
        }
        const now = first(this.of(type).get(name)?.settings);
        if (now?.deletion_protection_enabled === true) {
          throw new CloudError(
            `Error, failed to delete instance ${name}: googleapi: Error 400: The instance is protected. Please disable the deletion protection and try again., deletionProtectionEnabled`,
          );
        }
        if (first(now?.final_backup_config)?.enabled === true) this.finalBackups.push(name);
        this.burnt.add(name);
        for (const inside of ["google_sql_database", "google_sql_user"]) {
          for (const key of this.of(inside).keys()) {
            if (key.startsWith(`${name}/`)) this.of(inside).delete(key);
          }
        }
      },
    };
  }

  /** Databases, users and their passwords come with a clone. @returns what it is cloned from, if it is a clone */
  #cloned(clone: Values | undefined, name: string): Values | undefined {
    if (clone === undefined) return undefined;
    const from = textOf(clone, "source_instance_name");
    const source = this.of("google_sql_database_instance").get(from);
    if (source === undefined) {
      throw new CloudError(
        `Error, failed to create instance ${name}: googleapi: Error 404: The Cloud SQL instance ${from} does not exist., notFound`,
      );
    }
    const moment = typeof clone.point_in_time === "string" ? Date.parse(clone.point_in_time) : Date.now();
    if (!(moment >= this.logsSince.getTime() && moment <= Date.now())) {
      throw new CloudError(
        `Error, failed to create instance ${name}: googleapi: Error 400: Invalid request: the point in time is outside of the logs that are kept., invalid`,
      );
    }
    for (const inside of ["google_sql_database", "google_sql_user"]) {
      for (const [key, values] of this.of(inside)) {
        if (!key.startsWith(`${from}/`)) continue;
        this.of(inside).set(key.replace(from, name), { ...values, instance: name });
      }
    }
    for (const [key, password] of this.#passwords) {
      if (key.startsWith(`${from}/`)) this.#passwords.set(key.replace(from, name), password);
    }
    return source;
  }

  #inside(values: Values): string {
    const instance = textOf(values, "instance");
    if (!this.of("google_sql_database_instance").has(instance)) {
      throw new CloudError(
        `googleapi: Error 404: The Cloud SQL instance ${instance} does not exist., notFound`,
      );
    }
    return instance;
  }

  #databases(): Kind {
    return {
      block: sqlDatabase,
      key: (values) => `${textOf(values, "instance")}/${textOf(values, "name")}`,
      fromId: (id) => {
        const parts = id.split("/");
        return { instance: parts[3] ?? "", name: parts.slice(5).join("/") };
      },
      imported: { deletion_policy: "DELETE" },
      create: (values) => {
        const instance = this.#inside(values);
        const name = textOf(values, "name");
        return decided(sqlDatabase, values, {
          id: `projects/${this.project}/instances/${instance}/databases/${name}`,
          project: this.project,
          charset: "UTF8",
          collation: "en_US.UTF8",
          self_link: `https://sqladmin.googleapis.com/${instance}/${name}`,
        });
      },
      update: () => {},
      remove: () => {},
    };
  }

  #users(): Kind {
    const remember = (values: Values, config: Values) => {
      const password = config.password_wo ?? config.password;
      if (typeof password !== "string" || password === "") {
        throw new CloudError("googleapi: Error 400: Invalid request: a user needs a password., invalid");
      }
      this.#passwords.set(`${textOf(values, "instance")}/${textOf(values, "name")}`, password);
      this.everPasswords.add(password);
    };
    return {
      block: sqlUser,
      key: (values) => `${textOf(values, "instance")}/${textOf(values, "name")}`,
      fromId: (id) => {
        const [, instance = "", ...name] = id.split("/");
        return { instance, name: name.join("/") };
      },
      create: (values, config) => {
        const instance = this.#inside(values);
        remember(values, config);
        return decided(sqlUser, values, {
          id: `${textOf(values, "name")}//${instance}`,
          project: this.project,
          host: "",
        });
      },
      update: (values, config, prior) => {
        if (values.password_wo_version !== prior.password_wo_version) remember(values, config);
      },
      remove: () => {},
    };
  }

  #caches(): Kind {
    return {
      block: redisInstance,
      key: (values) => textOf(values, "name"),
      fromId: (id) => ({ name: id.split("/").at(-1) ?? "" }),
      create: (values) => {
        const name = textOf(values, "name");
        const labels = values.labels ?? {};
        const auth = randomBytes(18).toString("hex");
        this.everPasswords.add(auth);
        return decided(redisInstance, values, {
          id: `projects/${this.project}/locations/us-central1/instances/${name}`,
          project: this.project,
          region: "us-central1",
          effective_labels: labels,
          terraform_labels: labels,
          host: "10.30.0.4",
          port: 6378,
          create_time: "2026-01-01T00:00:00Z",
          auth_string: auth,
          server_ca_certs: [
            { cert: certificate, create_time: "", expire_time: "", serial_number: "", sha1_fingerprint: "" },
          ],
          maintenance_policy: [
            { create_time: "", update_time: "", weekly_maintenance_window: [{ duration: "3600s" }] },
          ],
        });
      },
      update: () => {},
      remove: (values) => {
        if (values.deletion_protection !== false) {
          throw new CloudError(
            "cannot destroy redis instance without setting deletion_protection=false and running `terraform apply`",
          );
        }
      },
    };
  }
}

function first(value: Value | undefined): Values | undefined {
  const item = Array.isArray(value) ? value[0] : undefined;
  return isValues(item) ? item : undefined;
}
