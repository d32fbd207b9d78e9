import { enableCompileCache, getCompileCacheDir } from "node:module";
import { defineConfig } from "vitest/config";

// Compiled code is kept between runs, here and in the processes and threads that tests start.
enableCompileCache();
process.env.NODE_COMPILE_CACHE ??= getCompileCacheDir();

/**
 * `unit`: pure code and screens, milliseconds each. `sandbox`: against the embedded cluster. `terminal`: the built
 * program in a pty. `crash`: engines killed at every write. `templates`: builds and runs each language's skeleton, with its own tools. `cluster`: against the API server of PLATFORM_TEST_KUBECONFIG; skipped, saying so, without one.
 */
export default defineConfig({
  test: {
    // Every core works, on a machine of two as well.
    maxWorkers: "100%",
    // What is slow here is a process or a sandbox that starts; a report of it would hide failures.
    slowTestThreshold: 10_000,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.{ts,tsx}"],
          testTimeout: 10_000,
          // No module holds state, so files share what is loaded.
          isolate: false,
        },
      },
      {
        test: {
          name: "sandbox",
          include: ["test/sandbox/**/*.test.ts"],
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "terminal",
          include: ["test/terminal/**/*.test.ts"],
          globalSetup: ["test/terminal/build.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "crash",
          include: ["test/crash/**/*.test.ts"],
          globalSetup: ["test/terminal/build.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: "templates",
          include: ["test/templates/**/*.test.ts"],
          testTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          globalSetup: ["test/cluster/announce.ts", "test/terminal/build.ts"],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          // Installations and admission policies are the whole cluster's.
          fileParallelism: false,
          // What is told at the same time waits for controllers more than it works.
          maxConcurrency: 8,
        },
      },
    ],
  },
});
