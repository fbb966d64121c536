import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { CONTESTANTS, pageOf } from "../lib/contestants.js";

const SERVERS = { emulator: { address: "http://a" }, peers: { address: "http://b" } };

test("every contestant has a script of its own", () => {
  for (const { contestant } of Object.values(CONTESTANTS)) {
    assert.ok(existsSync(new URL(`../contestants/${contestant}.js`, import.meta.url)), contestant);
  }
});

test("the page is that of the contestant's own server, and is told its options", () => {
  const url = new URL(pageOf(SERVERS, "ours-worker-buffer"));
  assert.equal(url.origin, "http://a");
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    thread: "page", inFlight: "4", contestant: "ours", entry: "worker", body: "buffer", service: "box",
  });
  assert.equal(new URL(pageOf(SERVERS, "tus")).origin, "http://b");
  assert.equal(new URL(pageOf(SERVERS, "javascript-worker-blob")).searchParams.get("thread"), "worker");
});
