// Regenerates src/sandbox/builtin/wire.json (protobuf field numbers of the built-in types: kubectl's `create namespace`
// and its kin send nothing else) from the Go modules k8s.io/api and k8s.io/apimachinery:
// `node scripts/sandbox-wire.js $GOMODCACHE/k8s.io 0.37.2`.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [modules, version] = process.argv.slice(2);
const groups = {
  api: "core apps batch autoscaling policy networking rbac storage coordination discovery scheduling authorization authentication admissionregistration",
  apimachinery: "pkg/apis/meta pkg/util/intstr pkg/api/resource pkg/runtime",
};
const schemas = JSON.parse(
  readFileSync(new URL("../src/sandbox/builtin/schemas.json", import.meta.url), "utf8"),
);

/** message name → { number: [field, type, repeated?, pointer?] } */
const messages = {};

function read(folder, prefix) {
  const proto = join(folder, "generated.proto");
  if (!existsSync(proto)) return;
  const text = readFileSync(proto, "utf8").replace(/\/\/.*$/gm, "");
  const name = /^package k8s\.io\.(.*);$/m.exec(text)[1];
  const go = existsSync(join(folder, "types.go")) ? readFileSync(join(folder, "types.go"), "utf8") : "";
  for (const [, message, body] of text.matchAll(/^message (\w+) \{([^}]*)\}/gm)) {
    const struct = new RegExp(`^type ${message} struct \\{([\\s\\S]*?)^\\}`, "m").exec(go)?.[1] ?? "";
    const fields = {};
    for (const [, label, type, field, number] of body.matchAll(
      /^\s*(optional|repeated)?\s*(map<[^>]+>|[.\w]+) (\w+) = (\d+);/gm,
    )) {
      const pointer = new RegExp(`^\\s*\\w+\\s+\\*[\\w.]+\\s.*json:"${field}[",]`, "m").test(struct);
      const full = type.replace(/(\.k8s\.io\.|^\.?k8s\.io\.)/g, "").replace(/, ?/, ",");
      const local = /^[A-Z]\w*$/.test(full)
        ? `${name}.${full}`
        : full.replace(/,([A-Z]\w*)>/, `,${name}.$1>`);
      fields[number] = [
        field,
        local,
        ...(label === "repeated" || pointer ? [label === "repeated" ? 1 : 2] : []),
      ];
    }
    messages[`${prefix}${message}`] = fields;
  }
}

for (const group of groups.api.split(" ")) {
  for (const api of ["v1", "v2"]) {
    read(join(modules, `api@v${version}`, group, api), `api.${group}.${api}.`);
  }
}
for (const path of groups.apimachinery.split(" ")) {
  const folder = join(modules, `apimachinery@v${version}`, path);
  const dotted = path.replaceAll("/", ".");
  if (path === "pkg/apis/meta") read(join(folder, "v1"), `apimachinery.${dotted}.v1.`);
  else read(folder, `apimachinery.${dotted}.`);
}

const reviews = [
  "authorization.v1.SelfSubjectAccessReview",
  "authorization.v1.SelfSubjectRulesReview",
  "authentication.v1.SelfSubjectReview",
  "policy.v1.Eviction",
].map((name) => `api.${name}`);
const stored = Object.keys(schemas)
  .filter((name) => name.startsWith("io.k8s.api."))
  .map((name) => name.replace("io.k8s.", ""));
const kept = {};
const keep = (name) => {
  const fields = messages[name];
  if (fields === undefined || name in kept) return;
  kept[name] = fields;
  for (const [, type] of Object.values(fields)) keep(type.replace(/^map<.*,(.*)>$/, "$1"));
};
for (const name of [...stored, ...reviews, "apimachinery.pkg.apis.meta.v1.DeleteOptions"]) keep(name);

const lines = Object.keys(kept)
  .sort()
  .map((name) => `${JSON.stringify(name)}:${JSON.stringify(kept[name])}`);
writeFileSync(new URL("../src/sandbox/builtin/wire.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);
