// The page as it is served: each contestant bundled and minified on its own, as an application would ship it.

import { cp, mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const BENCH = fileURLToPath(new URL("..", import.meta.url));

/** Not contestants, but what some of them share. */
const SHARED = ["api.js", "digests.js"];

/** Builds the page into a folder. Ours is not bundled: it is loaded as the package ships it. */
export async function buildPage(folder) {
  await mkdir(folder, { recursive: true });
  await cp(path.join(BENCH, "page"), folder, { recursive: true });
  const sources = await readdir(path.join(BENCH, "contestants"));
  await build({
    entryPoints: sources.filter((name) => !SHARED.includes(name)).map((name) => path.join(BENCH, "contestants", name)),
    outdir: path.join(folder, "contestants"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["/pkg/*"],
    logLevel: "warning",
  });
}
