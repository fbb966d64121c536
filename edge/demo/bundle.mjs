// Bundles a worker as `wrangler deploy` does, to be run in workerd by Miniflare.

import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { setting } from "./settings.mjs";

const EDGE = fileURLToPath(new URL("..", import.meta.url));

/** Bundles a worker of edge/ into a folder; resolves to the options by which Miniflare runs it. */
export async function bundle(worker, folder) {
  const wrangler = path.join(EDGE, "node_modules/.bin/wrangler");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  await promisify(execFile)(wrangler, ["deploy", worker, "--dry-run", "--outdir", folder], { cwd: EDGE, env });
  const wasm = (await readdir(folder)).filter((name) => name.endsWith(".wasm"));
  return {
    modules: [
      { type: "ESModule", path: path.join(folder, "worker.js") },
      ...wasm.map((name) => ({ type: "CompiledWasm", path: path.join(folder, name) })),
    ],
    modulesRoot: folder,
    compatibilityDate: await setting("compatibility_date"),
    compatibilityFlags: await setting("compatibility_flags"),
  };
}
