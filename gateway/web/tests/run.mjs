/** Runs a TypeScript file of the page in Node, read the way that Vite reads it: `node tests/run.mjs FILE`. */

import { resolve } from "node:path";
import { runnerImport } from "vite";

await runnerImport(resolve(process.argv[2]), { configFile: false, logLevel: "error" });
