// An upload edge, complete: it knows who is calling, holds the API key, and passes parts on to the API. Change
// worker/login.js to know your own users; the rest can stay as it is.
//
//   /file-storage/…          what `UploadSession` in a page speaks, with `serverUrl` being this worker
//   PUT /ingest?name=…       a program's stream, of known or unknown length, into the caller's folder
//   POST /ingest-from-url    {url, name?}: a file that lies on one of the listed hosts
//
// Secrets come from the environment: see .dev.vars.example.

import { createUploadProxy, init } from "upload-session/edge";
import wasm from "upload-session/edge.wasm";
import { guarded } from "./worker/guard.js";
import { ingestBody, ingestFromUrl } from "./worker/ingest.js";
import { authorize } from "./worker/login.js";
import { optional, required } from "./worker/settings.js";

await init(wasm);

const proxy = createUploadProxy({
  upstream: (env) => optional(env, "UPSTREAM", "https://upload.apideck.com"),
  apiKey: (env) => required(env, "APIDECK_API_KEY"),
  appId: (env) => required(env, "APIDECK_APP_ID"),
  // What was signed with the previous one is still taken: that is how it is rotated without breaking an upload.
  sessionSecret: (env) => [required(env, "SESSION_SECRET"), optional(env, "SESSION_SECRET_PREVIOUS")].filter(Boolean),
  authorize,
});

const ROUTES = {
  "PUT /ingest": guarded(ingestBody),
  "POST /ingest-from-url": guarded(ingestFromUrl),
};

export default {
  fetch(request, env, context) {
    const route = ROUTES[`${request.method} ${new URL(request.url).pathname}`] ?? proxy;
    return route(request, env, context);
  },
};
