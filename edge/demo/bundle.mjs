// Bundles a worker as `wrangler deploy` does, to be run in workerd by Miniflare.

import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const EDGE = fileURLToPath(new URL("..", import.meta.url));

/** Bundles a worker of edge/ into a folder; resolves to the options by which Miniflare runs it. */
export async function bundle(worker, folder) {
  const wrangler = path.join(EDGE, "node_modules/.bin/wrangler");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  await promisify(execFile)(wrangler, ["deploy", worker, "--dry-run", "--outdir", folder], { cwd: EDGE, env });
  const settings = await readFile(path.join(EDGE, "wrangler.toml"), "utf8");
  const setting = (name) => JSON.parse(new RegExp(`^${name} = (.*)$`, "m").exec(settings)[1]);
  const wasm = (await readdir(folder)).filter((name) => name.endsWith(".wasm"));
  return {
    modules: [
      { type: "ESModule", path: path.join(folder, "worker.js") },
      ...wasm.map((name) => ({ type: "CompiledWasm", path: path.join(folder, name) })),
    ],
    modulesRoot: folder,
    compatibilityDate: setting("compatibility_date"),
    compatibilityFlags: setting("compatibility_flags"),
  };
}
