// What is deployed: wrangler takes the example worker as it is, and its bundle stays small.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const EDGE = fileURLToPath(new URL("../../edge", import.meta.url));
const MOST_BYTES = 250_000;
/** What wrangler writes beside the bundle and does not upload. */
const NOT_DEPLOYED = /(\.map|README\.md)$/;

let folder;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "upload-edge-bundle-"));
});
after(() => rm(folder, { recursive: true }));

test("wrangler deploy accepts the worker, whose bundle has at most 250 KB compressed", async () => {
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  const wrangler = path.join(EDGE, "node_modules/.bin/wrangler");
  await promisify(execFile)(wrangler, ["deploy", "--dry-run", "--outdir", folder], { cwd: EDGE, env });
  const names = (await readdir(folder)).filter((name) => !NOT_DEPLOYED.test(name));
  assert.ok(names.includes("worker.js") && names.some((name) => name.endsWith(".wasm")), `the bundle is ${names}`);
  const sizes = await Promise.all(names.map(async (name) => gzipSync(await readFile(path.join(folder, name))).length));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`the bundle has ${total} bytes compressed`);
  assert.ok(total <= MOST_BYTES, `the bundle has ${total} bytes compressed`);
});
