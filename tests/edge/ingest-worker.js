// A worker that runs ingests, as JSON says.

import { ingest, init } from "upload-session/edge";
import module from "upload-session/edge.wasm";

import { run } from "./ingest.js";

const ready = init(module);

export default {
  async fetch(request) {
    await ready;
    return Response.json(await run(ingest, await request.json()));
  },
};
