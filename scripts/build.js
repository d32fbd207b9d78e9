// Bundles src/main.ts into dist/, or the folder given (ESM, split into lazily loaded chunks). Runs on every install,
// under any Node.

import { existsSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";

const outdir = process.argv[2] ?? "dist";

let esbuild;
try {
  esbuild = await import("esbuild");
} catch {
  if (existsSync(`${outdir}/main.js`)) process.exit(0); // installed from a package that carries its bundle
  console.error("platform: esbuild is missing; install with development dependencies to build from source");
  process.exit(1);
}

/** Rewrites modules on their way into the bundle. */
const rewrite = (name, filter, change) => ({
  name,
  setup(build) {
    build.onLoad({ filter }, async ({ path }) => ({
      contents: change(await readFile(path, "utf8")),
      loader: path.endsWith(".tsx") ? "tsx" : path.endsWith(".ts") ? "ts" : "js",
    }));
  },
});

// Built aside and swapped in, so that a program that starts meanwhile finds one bundle or the other, never half of one.
const next = `${outdir}.${process.pid}`;
await esbuild.build({
  entryPoints: { main: "src/main.ts", "sandbox-worker": "src/sandbox/worker.ts" },
  outdir: next,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node22",
  jsx: "automatic",
  sourcemap: "linked",
  sourcesContent: false,
  minifySyntax: true,
  // Ink's string-width compiles tables of emoji for 50 ms at every start; this one measures the same in 7.
  alias: { "string-width": "fast-string-width" },
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  // CommonJS dependencies ask for `require`.
  banner: {
    js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
  },
  plugins: [
    // Yoga hands its WebAssembly to `fetch` as a data URL, for which Node loads all of its fetch: 40 ms and 6 MiB at
    // every start. Without one it decodes the same bytes itself.
    rewrite("yoga-without-fetch", /yoga-wasm-base64-esm\.js$/, (text) => `const fetch = undefined;\n${text}`),
    {
      // Imported as a module, Node's HTTP gives every name it has, `WebSocket` too, for which Node loads all of its fetch:
      // 30 ms and 9 MiB at every start. Asked for as an object it gives what is used.
      name: "http-without-fetch",
      setup(build) {
        build.onResolve({ filter: /^node:https?$/ }, ({ path, kind }) =>
          kind === "import-statement" ? { path, namespace: "builtin" } : undefined,
        );
        build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
          contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
          loader: "js",
        }));
      },
    },
    // Through `z` esbuild keeps all of zod, 40 languages too; from the namespace it takes what is used: 5 MiB less.
    rewrite("zod-in-parts", /[\\/]src[\\/].*\.tsx?$/, (text) =>
      text.replace('import { z } from "zod"', 'import * as z from "zod"'),
    ),
    {
      // Ink imports React's developer tools only when DEV=true; the bundle has no use for them.
      name: "no-devtools",
      setup(build) {
        build.onResolve({ filter: /^react-devtools-core$/ }, () => ({
          path: "react-devtools-core",
          namespace: "empty",
        }));
        build.onLoad({ filter: /.*/, namespace: "empty" }, () => ({
          contents: "export default undefined",
          loader: "js",
        }));
      },
    },
  ],
});
const old = `${next}.old`;
await rename(outdir, old).catch(() => {}); // none on the first build
await rename(next, outdir);
await rm(old, { recursive: true, force: true });
