/** Imports point one way; each rule says why. @type {import('dependency-cruiser').IConfiguration} */
const layer = (name, path, forbidden, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path },
  to: { path: forbidden },
});

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      comment: "A cycle means that neither file can be understood alone.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-orphans",
      comment: "A file nobody imports is dead.",
      severity: "error",
      from: { orphan: true, path: "^src", pathNot: "(main\\.ts|sandbox/worker\\.ts|\\.d\\.ts)$" },
      to: {},
    },
    {
      name: "react-in-screens-only",
      comment: "Everything but the screens must run without a terminal, in the operator and in tests.",
      severity: "error",
      from: { path: "^src", pathNot: "^src/screens" },
      to: { path: "node_modules/(react|ink|ink-[^/]*)/" },
    },
    {
      name: "screens-through-state",
      comment: "Screens render stores; how a store is fed is no business of theirs.",
      severity: "error",
      from: { path: "^src/screens" },
      to: { path: "^src/(cluster|delivery|sandbox|commands)", dependencyTypesNot: ["type-only"] },
    },
    layer(
      "state-is-framework-free",
      "^src/state",
      "^src/(screens|commands|sandbox)",
      "Stores are used by tests and by other faces too.",
    ),
    layer(
      "use-cases-know-no-face",
      "^src/(provisioning|services|monitoring|delivery)",
      "^src/(screens|state|commands|operator|sandbox)",
      "Every face calls the same use cases; they call none of them.",
    ),
    layer(
      "operator-is-a-face",
      "^src/operator",
      "^src/(screens|state|commands|sandbox)",
      "The operator runs where there is neither a person nor a terminal.",
    ),
    layer(
      "application-is-below-use-cases",
      "^src/(application|standards)",
      "^src/(screens|state|commands|provisioning|services|monitoring|delivery|sandbox)",
      "What a service is does not depend on how it is made.",
    ),
    layer(
      "cluster-is-the-bottom",
      "^src/cluster",
      "^src/(?!cluster)",
      "Kubernetes access knows nothing of the platform.",
    ),
    layer(
      "terraform-is-below-use-cases",
      "^src/terraform",
      "^src/(?!terraform|cluster)",
      "How Terraform is run does not depend on what for.",
    ),
    layer(
      "sandbox-stands-alone",
      "^src/sandbox",
      "^src/(?!sandbox)",
      "The sandbox is a server for the same HTTP API; sharing code with its client would hide the client's errors.",
    ),
    {
      name: "nobody-imports-sandbox",
      comment: "To the rest of the program the sandbox is a cluster.",
      severity: "error",
      from: { path: "^src", pathNot: "^src/(sandbox|main\\.ts)" },
      to: { path: "^src/sandbox" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    parser: "swc",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
