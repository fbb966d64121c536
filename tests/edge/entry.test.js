// The package's entry before it is ready, and options that JSON cannot tell of.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { createUploadProxy, ingest, init } from "upload-session/edge";

const OPTIONS = { apiKey: "key", appId: "app", sessionSecret: "-".repeat(32), authorize: () => null };

test("before init has resolved nothing works, and the error says why", async () => {
  const module = await readFile(fileURLToPath(import.meta.resolve("upload-session/edge.wasm")));
  const ready = init(module);
  assert.throws(() => createUploadProxy(OPTIONS), /init\(module\) must resolve/);
  await assert.rejects(ingest(new Blob([]).stream(), {}), /init\(module\) must resolve/);
  assert.equal(init(module), ready, "a second time is the first");
  await ready;
  assert.equal((await createUploadProxy(OPTIONS)(new Request("http://edge.example/"))).status, 404);
});

test("what does not come from the environment is no function", () => {
  for (const name of ["allowedOrigins", "basePath", "maxPartSize", "timeout"]) {
    assert.throws(() => createUploadProxy({ ...OPTIONS, [name]: () => "/" }), new RegExp(name));
  }
});

test("someone has to say who is calling", () => {
  assert.throws(() => createUploadProxy({ ...OPTIONS, authorize: undefined }), /authorize/);
  assert.throws(() => createUploadProxy(), /takes an object/);
});
