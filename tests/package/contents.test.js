// What is in the tarball, and what checkers of packages say of it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { INSTALLED, PACKED, tarball } from "./install.js";

const ROOT = new URL("../../", import.meta.url);
const run = promisify(execFile);
const manifest = JSON.parse(await readFile(path.join(INSTALLED, "package.json"), "utf8"));

/** The only folder whose name changes: it ends in a hash of wasm-bindgen's. */
const SNIPPETS = /snippets\/upload-session-[0-9a-f]{16}\//;

test("the tarball has these files and no others", () => {
  const files = tarball().files.map(({ path }) => path.replace(SNIPPETS, "snippets/*/"));
  assert.deepEqual(files.sort(), [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "dist/edge/snippets/*/src/network.js",
    "dist/edge/snippets/*/src/platform.js",
    "dist/edge/snippets/*/src/values.js",
    "dist/edge/upload_session_edge.js",
    "dist/edge/upload_session_edge_bg.wasm",
    "dist/port.js",
    "dist/thread.js",
    "dist/upload_session.js",
    "dist/upload_session_bg.wasm",
    "dist/worker.js",
    "edge/exchange.js",
    "edge/index.d.ts",
    "edge/index.js",
    "edge/streams.js",
    "index.d.ts",
    "index.js",
    "package.json",
    "thread.d.ts",
    "wasm/address.d.ts",
    "wasm/module.d.ts",
    "worker.d.ts",
  ]);
});

test("the licences are the project's own, and the README has no dead link", async () => {
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    assert.equal(await readFile(path.join(INSTALLED, name), "utf8"), await readFile(new URL(name, ROOT), "utf8"));
  }
  const readme = await readFile(path.join(INSTALLED, "README.md"), "utf8");
  assert.match(readme, /^# upload-session\n/);
  const targets = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target).filter((target) => !/^(#|https:)/.test(target));
  for (const target of targets) await readFile(path.join(INSTALLED, target));
  assert.equal(manifest.license, "MIT OR Apache-2.0");
});

test("every file that an entry names is there", async () => {
  const named = Object.values(manifest.exports).flatMap((entry) => Object.values(entry));
  for (const file of named) assert.ok(tarball().files.some(({ path }) => `./${path}` === file), file);
});

test("no name of the package's own files is a bare one: a page without a bundler could not load it", async () => {
  const scripts = tarball().files.map(({ path }) => path).filter((name) => name.endsWith(".js"));
  for (const script of scripts) {
    const text = await readFile(path.join(INSTALLED, script), "utf8");
    const imports = [...text.matchAll(/(?:^|;)(?:import|export)\b[^;]*?\bfrom\s*["']([^"']+)["']/gm)].map(([, name]) => name);
    assert.deepEqual(imports.filter((name) => !name.startsWith(".")), [], script);
  }
});

test("classes go by their names, though the scripts are minified", async () => {
  for (const entry of [".", "./worker"]) {
    const exported = await import(path.join(INSTALLED, manifest.exports[entry].default));
    for (const name of ["UploadError", "UploadSession", "UploadSessionsApi"]) assert.equal(exported[name].name, name, entry);
  }
});

test("errors can be named anew, as the platform's own can", async () => {
  const { UploadError } = await import(path.join(INSTALLED, manifest.exports["."].default));
  class Refused extends UploadError {
    constructor(message) {
      super(message, { code: "forbidden", retryable: false });
      this.name = "Refused";
    }
  }
  assert.equal(String(new Refused("not here")), "Refused: not here");
  assert.equal(String(new UploadError("not here")), "UploadError: not here");
});

test("there is no way past a session's own free()", async () => {
  assert.ok(Symbol.dispose, "this Node has explicit resource management");
  for (const entry of [".", "./worker"]) {
    const { UploadSession } = await import(path.join(INSTALLED, manifest.exports[entry].default));
    assert.equal(Symbol.dispose in UploadSession.prototype, false, entry);
  }
});

test("publint has no complaint", async () => {
  const { messages } = await publint({ pkgDir: INSTALLED, strict: true, pack: false });
  assert.deepEqual(messages.map((message) => formatMessage(message, manifest)), []);
});

test("Are The Types Wrong? finds none wrong for those who import modules", async () => {
  const attw = path.join(import.meta.dirname, "node_modules/.bin/attw");
  // The package has ECMAScript modules alone, as browsers do: Node's `require` and the resolution before Node 12, which
  // knows no exports, are nothing it promises.
  await run(attw, [path.join(PACKED, tarball().filename), "--profile", "esm-only"], { env: { ...process.env, FORCE_COLOR: "0" } }).catch((error) => {
    assert.fail(`${error.message}\n${error.stdout}`);
  });
});

test("importing an entry touches no global of the platform: safe where pages are rendered on a server", async () => {
  const script = path.join(PACKED, "apps/node/untouched.js");
  for (const entry of ["upload-session", "upload-session/worker", "upload-session/edge"]) {
    const { stdout } = await run(process.execPath, [script, entry]);
    assert.equal(stdout, "untouched\n", entry);
  }
  // The script of the worker is none to import, and shows that touching is noticed.
  await assert.rejects(run(process.execPath, [script, "upload-session/worker/thread"]), /addEventListener was touched/);
});
