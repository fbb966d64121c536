// A worker that runs ingests, as JSON says: in the body, or, where the body itself is what is to be uploaded, in the query.

import { ingest, init } from "upload-session/edge";
import module from "upload-session/edge.wasm";

import { run } from "./ingest.js";

const ready = init(module);

export default {
  async fetch(request) {
    await ready;
    const what = new URL(request.url).searchParams.get("what");
    const told = what === null ? await run(ingest, await request.json()) : await run(ingest, { ...JSON.parse(what), source: request.body });
    return Response.json(told);
  },
};
