// The upload edge on Workers.
import { createUploadProxy, init } from "upload-session/edge";
import wasm from "upload-session/edge.wasm";
import { settings } from "./edge-settings.js";

let fetch;

export default {
  async fetch(request, env) {
    await init(wasm);
    fetch ??= createUploadProxy(settings);
    return fetch(request, env);
  },
};
