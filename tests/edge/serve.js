// Serves proxies by Node: the argument is a JSON list of their environments. Prints an address for each, a line each.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { serve } from "@hono/node-server";

import { app } from "./app.js";

const environments = JSON.parse(process.argv[2]);
const createUploadProxy = environments.every((env) => env.SETTINGS.unguarded) ? undefined : await proxy();
for (const env of environments) {
  const handler = app(createUploadProxy, env.SETTINGS);
  const port = await new Promise((resolve) => {
    const options = {
      fetch: (request) => handler(request, env),
      hostname: "127.0.0.1",
      port: 0,
      overrideGlobalObjects: false,
    };
    serve(options, (info) => resolve(info.port));
  });
  console.log(`http://127.0.0.1:${port}`);
}

async function proxy() {
  const edge = await import("upload-session/edge");
  await edge.init(await readFile(fileURLToPath(import.meta.resolve("upload-session/edge.wasm"))));
  return edge.createUploadProxy;
}
