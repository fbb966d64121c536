// The proxy under test, as a worker of workerd: modules come compiled there.

import { createUploadProxy, init } from "upload-session/edge";
import module from "upload-session/edge.wasm";

import { app } from "./app.js";

const ready = init(module);
let handler;

export default {
  async fetch(request, env) {
    await ready;
    handler ??= app(createUploadProxy, env.SETTINGS);
    return handler(request, env);
  },
};
