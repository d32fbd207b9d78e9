import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** A stored object as rows hold it: JSON texts, so that lists need no parsing. */
export interface Row {
  /** `namespace/name`, or `name` where the resource has no namespace: the order of lists. */
  readonly key: string;
  readonly labels: string;
  /** JSON of `metadata`. */
  readonly meta: string;
  /** JSON of the whole object. */
  readonly body: string;
}

/** One committed change. */
export interface Change {
  readonly rv: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: string;
  readonly key: string;
  /** The object after the change; for DELETED its last state, with the resourceVersion of the deletion. */
  readonly body: string;
  /** The object before the change, but for ADDED. */
  readonly previous: string | null;
}

/** An object that names another as its owner. */
export interface Dependent {
  readonly resource: string;
  readonly key: string;
}

/**
 * synchronous=NORMAL: in WAL mode a commit is in the operating system's cache before the call returns, so it survives
 * SIGKILL of any process; only a power cut could lose the last moments, and never corrupts. FULL costs an fsync a write.
 */
const setup = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA busy_timeout = 10000;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT NOT NULL, key TEXT NOT NULL, uid TEXT NOT NULL, rv INTEGER NOT NULL,
  labels TEXT NOT NULL, meta TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS objects_by_key ON objects (resource, key);
CREATE INDEX IF NOT EXISTS objects_by_uid ON objects (uid);
CREATE TABLE IF NOT EXISTS changes (
  rv INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, resource TEXT NOT NULL, key TEXT NOT NULL,
  body TEXT NOT NULL, previous TEXT);
CREATE INDEX IF NOT EXISTS changes_by_resource ON changes (resource, rv);
CREATE TABLE IF NOT EXISTS owners (
  owner TEXT NOT NULL, resource TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (owner, resource, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS owners_by_dependent ON owners (resource, key);
INSERT OR IGNORE INTO state (name, value) VALUES ('revision', 100), ('compacted', 100);
`;

/** How long changes are kept for watches and continued lists; a real API server keeps five to ten minutes too. */
const keptMs = 5 * 60_000;
const keptRows = 50_000;

/**
 * The SQLite store, shared by every process that opens the same folder. One counter gives every write its
 * resourceVersion, in the transaction that writes the object and its row of the change log.
 */
export class Store {
  /** For tables of others in the same file (faults). */
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    this.database = new DatabaseSync(join(folder, "cluster.sqlite"), { timeout: 10_000 });
    this.database.exec(setup);
    chmodSync(join(folder, "cluster.sqlite"), 0o600);
  }

  close(): void {
    this.#statements.clear();
    this.database.close();
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const made = this.database.prepare(text);
    this.#statements.set(text, made);
    return made;
  }

  /** Runs `work` as one write transaction; a nested call that fails takes back only its own writes. */
  transaction<T>(work: () => T): T {
    return this.#within("BEGIN IMMEDIATE", work);
  }

  /** Runs reads that must see one state. */
  snapshot<T>(work: () => T): T {
    return this.#within("BEGIN", work);
  }

  #within<T>(begin: string, work: () => T): T {
    const inner = this.#depth > 0;
    const name = `nested${this.#depth}`;
    this.#sql(inner ? `SAVEPOINT ${name}` : begin).run();
    this.#depth++;
    try {
      const result = work();
      this.#sql(inner ? `RELEASE ${name}` : "COMMIT").run();
      return result;
    } catch (error) {
      // A full disk ends the transaction by itself; then only the first error tells why.
      if (this.database.isTransaction) {
        this.database.exec(inner ? `ROLLBACK TO ${name}; RELEASE ${name}` : "ROLLBACK");
      }
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** The resourceVersion of the newest write. */
  revision(): number {
    return this.#number("SELECT value FROM state WHERE name = 'revision'");
  }

  /** Changes up to this one are forgotten. */
  compacted(): number {
    return this.#number("SELECT value FROM state WHERE name = 'compacted'");
  }

  #number(sql: string): number {
    const value = this.#sql(sql).get()?.value;
    return typeof value === "number" ? value : 0;
  }

  /** Allots the next resourceVersion; inside a transaction only. */
  nextRevision(): number {
    return this.#number("UPDATE state SET value = value + 1 WHERE name = 'revision' RETURNING value");
  }

  /** Changes when another process has written. */
  dataVersion(): number {
    const value = this.#sql("PRAGMA data_version").get()?.data_version;
    return typeof value === "number" ? value : 0;
  }

  /** A text kept once for the cluster, such as its seed marker. */
  getState(name: string): string | undefined {
    const value = this.#sql("SELECT value FROM state WHERE name = ?").get(name)?.value;
    return typeof value === "string" ? value : undefined;
  }

  setState(name: string, value: string): void {
    this.#sql("INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)").run(name, value);
  }

  get(resource: string, key: string): string | undefined {
    const body = this.#sql("SELECT body FROM objects WHERE resource = ? AND key = ?").get(
      resource,
      key,
    )?.body;
    return typeof body === "string" ? body : undefined;
  }

  hasUid(uid: string): boolean {
    return this.#sql("SELECT 1 AS found FROM objects WHERE uid = ?").get(uid) !== undefined;
  }

  /** Where the object with this UID is. */
  findUid(uid: string): Dependent | undefined {
    const row = this.#sql("SELECT resource, key FROM objects WHERE uid = ?").get(uid);
    return row === undefined ? undefined : { resource: String(row.resource), key: String(row.key) };
  }

  /**
   * Rows in key order after `after`; `namespace` narrows to one. `part` leaves out the columns that are not needed.
   */
  *rows(
    resource: string,
    {
      namespace,
      after = "",
      part,
    }: { namespace?: string | undefined; after?: string; part: "meta" | "body" },
  ): Generator<Row> {
    // "0" is the character after "/": the end of a namespace's keys.
    const low = namespace === undefined ? after : after === "" ? `${namespace}/` : after;
    const high = namespace === undefined ? "\u{10ffff}" : `${namespace}0`;
    const columns = part === "meta" ? "key, labels, meta, '' AS body" : "key, labels, '' AS meta, body";
    const text = `SELECT ${columns} FROM objects WHERE resource = ? AND key > ? AND key < ? ORDER BY key`;
    // Out of the cache while it is read: whoever lists the same meanwhile needs another.
    const statement = this.#sql(text);
    this.#statements.delete(text);
    for (const row of statement.iterate(resource, low, high)) {
      yield {
        key: String(row.key),
        labels: String(row.labels),
        meta: String(row.meta),
        body: String(row.body),
      };
    }
    this.#statements.set(text, statement);
  }

  count(resource: string, namespace: string | undefined, after: string): number {
    const low = namespace === undefined || after !== "" ? after : `${namespace}/`;
    const high = namespace === undefined ? "\u{10ffff}" : `${namespace}0`;
    const row = this.#sql(
      "SELECT count(*) AS value FROM objects WHERE resource = ? AND key > ? AND key < ?",
    ).get(resource, low, high);
    return typeof row?.value === "number" ? row.value : 0;
  }

  /** The resources that hold any object of a namespace. */
  resourcesIn(namespace: string): readonly string[] {
    return this.#sql("SELECT DISTINCT resource FROM objects")
      .all()
      .map((row) => String(row.resource))
      .filter((resource) => this.count(resource, namespace, "") > 0);
  }

  /** Writes an object that has its resourceVersion; inside a transaction only. */
  put(change: Change, row: { uid: string; labels: string; meta: string; owners: readonly string[] }): void {
    const { resource, key, rv, body } = change;
    this.#sql(
      "INSERT OR REPLACE INTO objects (resource, key, uid, rv, labels, meta, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ).run(resource, key, row.uid, rv, row.labels, row.meta, body);
    this.#sql("DELETE FROM owners WHERE resource = ? AND key = ?").run(resource, key);
    for (const owner of row.owners) {
      this.#sql("INSERT OR IGNORE INTO owners (owner, resource, key) VALUES (?, ?, ?)").run(
        owner,
        resource,
        key,
      );
    }
    this.#log(change);
  }

  /** Removes an object; inside a transaction only. */
  remove(change: Change): void {
    const { resource, key } = change;
    this.#sql("DELETE FROM objects WHERE resource = ? AND key = ?").run(resource, key);
    this.#sql("DELETE FROM owners WHERE resource = ? AND key = ?").run(resource, key);
    this.#log(change);
  }

  #log({ rv, type, resource, key, body, previous }: Change): void {
    this.#sql(
      "INSERT INTO changes (rv, at, type, resource, key, body, previous) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ).run(rv, Date.now(), type, resource, key, body, previous);
  }

  /** Changes after a resourceVersion, oldest first. */
  changesAfter(rv: number, resource?: string): readonly Change[] {
    const columns = "SELECT rv, type, resource, key, body, previous FROM changes WHERE";
    const rows =
      resource === undefined
        ? this.#sql(`${columns} rv > ? ORDER BY rv`).all(rv)
        : this.#sql(`${columns} resource = ? AND rv > ? ORDER BY rv`).all(resource, rv);
    return rows.map((row) => ({
      rv: Number(row.rv),
      type: row.type === "ADDED" ? "ADDED" : row.type === "DELETED" ? "DELETED" : "MODIFIED",
      resource: String(row.resource),
      key: String(row.key),
      body: String(row.body),
      previous: typeof row.previous === "string" ? row.previous : null,
    }));
  }

  /** The objects that name `uid` as an owner. */
  dependents(uid: string): readonly Dependent[] {
    return this.#sql("SELECT resource, key FROM owners WHERE owner = ?")
      .all(uid)
      .map((row) => ({ resource: String(row.resource), key: String(row.key) }));
  }

  /** Every object that has an owner. */
  allDependents(): readonly Dependent[] {
    return this.#sql("SELECT DISTINCT resource, key FROM owners")
      .all()
      .map((row) => ({ resource: String(row.resource), key: String(row.key) }));
  }

  /** Forgets old changes, or with `all` every change up to now. */
  compact(all = false): void {
    this.transaction(() => {
      const cut = all
        ? this.revision()
        : this.#number(
            `SELECT max(coalesce((SELECT max(rv) FROM changes WHERE at < ${Date.now() - keptMs}), 0),
               coalesce((SELECT rv FROM changes ORDER BY rv DESC LIMIT 1 OFFSET ${keptRows}), 0)) AS value`,
          );
      if (cut <= this.compacted()) return;
      this.#sql("DELETE FROM changes WHERE rv <= ?").run(cut);
      this.#sql("UPDATE state SET value = ? WHERE name = 'compacted'").run(cut);
    });
  }

  /**
   * Takes or renews the leadership of the simulated controllers for `ms`. A holder whose process is gone loses it
   * at once, so that a killed process holds nothing up.
   */
  lead(holder: string, ms: number): boolean {
    const now = Date.now();
    const current: unknown = JSON.parse(this.getState("leader") ?? "null");
    const mine = isLeader(current) && current.holder === holder;
    if (!mine && isLeader(current) && current.until > now && alive(current.pid)) return false;
    if (mine && current.until - now > ms / 2) return true;
    return this.transaction(() => {
      const seen: unknown = JSON.parse(this.getState("leader") ?? "null");
      if (isLeader(seen) && seen.holder !== holder && seen.until > now && alive(seen.pid)) return false;
      this.setState("leader", JSON.stringify({ holder, pid: process.pid, until: now + ms }));
      return true;
    });
  }

  /** Gives the leadership up, if it is ours. */
  resign(holder: string): void {
    const current: unknown = JSON.parse(this.getState("leader") ?? "null");
    if (isLeader(current) && current.holder === holder) this.setState("leader", "null");
  }
}

interface Leader {
  readonly holder: string;
  readonly pid: number;
  readonly until: number;
}

function isLeader(value: unknown): value is Leader {
  return (
    typeof value === "object" && value !== null && "holder" in value && "pid" in value && "until" in value
  );
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** A name for one holder of the leadership. */
export function newHolder(): string {
  return randomUUID();
}
