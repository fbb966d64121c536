// The installed package without a browser: a Blob from Node, and the upload edge in Node and in workerd.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { makeFolder, startEmulator } from "../e2e/harness.js";
import { INSTALLED, PACKED } from "./install.js";

const run = promisify(execFile);
const APPS = path.join(PACKED, "apps");
/** Not newer than the workerd in the lockfile. */
const COMPATIBILITY_DATE = "2026-04-20";

const started = [];
let emulator, file;

before(async () => {
  const folder = await makeFolder();
  started.push(folder.remove);
  file = await folder.file("film.mp4", 3);
  emulator = await startEmulator(PACKED);
  started.push(emulator.stop);
  for (const consumer of ["node", "edge"]) await emulator.settings(consumer, { part_size: 1_048_576 });
});

after(async () => {
  for (const end of started.reverse()) await end();
});

/** Uploads from Node, and asserts that the file arrives byte for byte in the storage of a consumer, part by part. */
async function assertUploads(server, consumerId) {
  const before = (await emulator.stats(consumerId)).parts_accepted;
  const { stdout, stderr } = await run(process.execPath, [path.join(APPS, "node/upload.js"), server, consumerId, file.path]);
  assert.equal(stderr, "");
  const { id, digest } = JSON.parse(stdout);
  assert.equal((await emulator.fileInfo(id)).sha1, file.sha1);
  assert.equal(digest, `sha=${Buffer.from(file.sha1, "hex").toString("base64")}`);
  assert.equal((await emulator.stats(consumerId)).parts_accepted - before, 4);
}

test("Node uploads a Blob", () => assertUploads(emulator.address, "node"));

test("whatever is called before init() or after free() says so", async () => {
  const { stdout, stderr } = await run(process.execPath, [path.join(APPS, "node/misuse.js")]);
  const early = ["UploadSession: throws", "resume: rejects", "fromSnapshot: throws", "UploadSessionsApi: throws", "sha1Digest: rejects"];
  const late = ["get: throws", "progress: throws", "pause: throws"];
  assert.deepEqual(stdout.trim().split("\n"), [
    ...early.map((call) => `${call} true invalid_argument \`init()\` has to be awaited first`),
    ...late.map((call) => `${call} true invalid_argument It was let go of by free()`),
  ]);
  assert.equal(stderr, "");
});

test("init() makes one session of nothing and lets go of it, and is done without where none can be made", async () => {
  for (const [missing, sessions] of [["", "1"], ["Blob", "0"]]) {
    const { stdout, stderr } = await run(process.execPath, [path.join(APPS, "node/warm-up.js"), missing]);
    assert.deepEqual([stdout.trim(), stderr], [sessions, ""], missing);
  }
});

test("upload-session/edge passes an upload on in Node", async () => {
  const child = spawn(process.execPath, [path.join(APPS, "node/edge.js"), emulator.address], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  try {
    const [address] = await Promise.race([once(child.stdout, "data"), ended.then(() => assert.fail("it ended before it listened"))]);
    await assertUploads(String(address).trim(), "edge");
  } finally {
    child.kill();
    await ended;
  }
});

test("upload-session/edge passes an upload on in workerd, with upload-session/edge.wasm", async () => {
  const wasm = "upload-session/edge.wasm";
  const options = { entryPoints: [path.join(APPS, "edge-worker.js")], bundle: true, format: "esm", external: [wasm], write: false };
  const [{ text }] = (await build(options)).outputFiles;
  const contents = await readFile(path.join(INSTALLED, "dist/edge/upload_session_edge_bg.wasm"));
  const miniflare = new Miniflare({
    modules: [
      { type: "ESModule", path: path.join(APPS, "worker.js"), contents: text },
      { type: "CompiledWasm", path: path.join(APPS, wasm), contents },
    ],
    modulesRoot: APPS,
    bindings: { UPSTREAM: emulator.address },
    compatibilityDate: COMPATIBILITY_DATE,
    host: "127.0.0.1",
  });
  try {
    await assertUploads((await miniflare.ready).origin, "edge");
  } finally {
    await miniflare.dispose();
  }
});
