// Runs the demo in workerd: node demo/serve.mjs --upstream URL [--port 8788]
//
// The worker is bundled by `wrangler`, as it is for a deployment. Secrets are made up anew at every start; the API key may
// be given in the environment, as EDGE_DEMO_API_KEY, for tests that look for it.

import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Miniflare, Response } from "miniflare";
import { bundle } from "./bundle.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = path.join(ROOT, "www");
const PACKAGE = path.join(ROOT, "pkg");
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

const { values } = parseArgs({ options: { upstream: { type: "string" }, port: { type: "string", default: "8788" } } });
if (!values.upstream) throw new Error("--upstream names the emulator's address");

const folder = await mkdtemp(path.join(tmpdir(), "upload-edge-demo-"));
const miniflare = new Miniflare({
  ...(await bundle("demo/worker.js", folder)),
  // A socket of the worker's own: Miniflare's would compress what passes it.
  unsafeDirectSockets: [{ host: "127.0.0.1", port: Number(values.port) }],
  bindings: {
    UPSTREAM: values.upstream,
    APIDECK_API_KEY: process.env.EDGE_DEMO_API_KEY ?? secret(),
    APIDECK_APP_ID: "demo-app",
    SESSION_SECRET: secret(),
    LOGIN_SECRET: secret(),
    LOGIN_ISSUER: "demo",
    LOGIN_AUDIENCE: "demo",
  },
  serviceBindings: { ASSETS: serveFile },
});
const address = await miniflare.unsafeGetDirectURL();
// Everything in it has been read.
await rm(folder, { recursive: true });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => miniflare.dispose().then(() => process.exit()));
console.log(`upload-edge listening on ${address.origin}`);

function secret() {
  return randomBytes(48).toString("base64url");
}

/** Serves www/ at / and the package at /pkg/. */
async function serveFile(request) {
  const { pathname } = new URL(request.url);
  const [root, rest] = pathname.startsWith("/pkg/") ? [PACKAGE, pathname.slice("/pkg".length)] : [PAGE, pathname];
  // The URL's parser has taken out every "..", and what is still escaped is no file of ours.
  const file = path.join(root, rest === "/" ? "index.html" : rest);
  try {
    return new Response(await readFile(file), { headers: { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" } });
  } catch {
    return new Response("There is nothing here.", { status: 404 });
  }
}
