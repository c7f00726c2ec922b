import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** What a browser has to load before it shows anything, at most. */
const INITIAL_KILOBYTES = 130;

/** Says how much JavaScript the first view takes, and ends the build if it is too much. */
function initialSize(): Plugin {
  return {
    name: "initial-size",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((each) => each.type === "chunk");
      const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
      const initial = new Set<string>();
      const load = (name: string): void => {
        if (initial.has(name)) return;
        initial.add(name);
        for (const other of byName.get(name)?.imports ?? []) load(other);
      };
      for (const chunk of chunks) if (chunk.isEntry) load(chunk.fileName);
      const bytes = [...initial].map((name) => gzipSync(byName.get(name)?.code ?? "").length);
      const kilobytes = bytes.reduce((sum, each) => sum + each, 0) / 1000;
      const said = `initial JavaScript: ${kilobytes.toFixed(1)} kB gzipped, at most ${INITIAL_KILOBYTES}`;
      if (kilobytes > INITIAL_KILOBYTES) this.error(said);
      this.info(said);
    },
  };
}

export default defineConfig({
  plugins: [react(), initialSize()],
  base: "/",
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    // The policy of the page lets nothing be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ["tests/**/*.test.ts", "tests/**/*.test.tsx"] },
});
