#!/usr/bin/env node
// Plain JavaScript that any Node can parse: refuse an old Node, or a missing bundle, in one line instead of crashing.
import { existsSync } from "node:fs";

var version = process.versions.node.split(".").map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 19)) {
  console.error(
    "platform needs Node 22.19 or later, this is " +
      process.version +
      "; run it with `npm start` in its folder, or install a newer Node",
  );
  process.exit(1);
}
if (!existsSync(new URL("../dist/main.js", import.meta.url))) {
  console.error("platform is not built here; run `npm install`, or `npm run build`, in its folder");
  process.exit(1);
}
import("../dist/main.js");
