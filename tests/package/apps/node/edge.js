// The upload edge in Node, before the server named first; prints its address.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { createUploadProxy, init } from "upload-session/edge";
import { settings } from "../edge-settings.js";

await init(await readFile(fileURLToPath(import.meta.resolve("upload-session/edge.wasm"))));
const fetch = createUploadProxy(settings);
const env = { UPSTREAM: process.argv[2] };
const options = { fetch: (request) => fetch(request, env), hostname: "127.0.0.1", port: 0, overrideGlobalObjects: false };
serve(options, ({ port }) => console.log(`http://127.0.0.1:${port}`));
