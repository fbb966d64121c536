// The installed package in pages, in workers and through bundlers: each uploads a real file to the emulator.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeFolder, startChromium, startEmulator, startFirefox } from "../e2e/harness.js";
import { plain, viteServer, withEsbuild, withVite, withWebpack } from "./bundles.js";
import { PACKED } from "./install.js";

const BROWSERS = { Chromium: startChromium, Firefox: startFirefox };
const MODULE = encodeURIComponent("/node_modules/upload-session/dist/upload_session_bg.wasm");

/** What is used, and the page that uses it. */
const PAGES = {
  "a plain page": "/dist/plain/main.html",
  "a plain page with upload-session/worker": "/dist/plain/worker.html",
  "a plain page with a dedicated worker of its own": "/dist/plain/own-worker-page.html",
  "a service worker, a module": "/dist/plain/service-worker-page.html?script=service-worker.js&type=module",
  "a service worker, a classic script by esbuild":
    `/dist/esbuild/service-worker-page.html?type=classic&script=${encodeURIComponent(`service-worker.js?wasm=${MODULE}`)}`,
  "a page by Vite": "/dist/vite/main.html",
  "a page by Vite with upload-session/worker": "/dist/vite/worker.html",
  "a page by Vite with a dedicated worker of its own": "/dist/vite/own-worker-page.html",
  "a page by webpack": "/dist/webpack/main.html",
  "a page by webpack with upload-session/worker": "/dist/webpack/worker.html",
  "a page by esbuild": "/dist/esbuild/main.html",
  "a page by esbuild with upload-session/worker": "/dist/esbuild/worker.html",
};

const started = [];
const drivers = {};
let emulator, folder, file;

before(async () => {
  folder = await makeFolder();
  started.push(folder.remove);
  file = await folder.file("film.mp4", 3);
  emulator = await startEmulator(PACKED);
  started.push(emulator.stop);
  await emulator.settings("package", { part_size: 1_048_576 });
  for (const [name, start] of Object.entries(BROWSERS)) {
    drivers[name] = await start();
    started.push(() => drivers[name].quit());
  }
  await Promise.all([plain(), withVite(), withWebpack(), withEsbuild()]);
});

after(async () => {
  for (const end of started.reverse()) await end();
});

/** Opens a page, picks the file, and asserts that it arrives byte for byte. */
async function assertUploads(driver, address) {
  await driver.get(address);
  const reached = async (...states) => {
    let state;
    const isThere = async () => states.includes((state = await driver.executeScript("return document.documentElement.dataset.state")));
    await driver.wait(isThere, 30_000, `never ${states}`);
    assert.notEqual(state, "failed", await driver.executeScript("return document.documentElement.dataset.error"));
  };
  await reached("ready", "failed");
  await driver.findElement({ css: "input" }).sendKeys(file.path);
  await reached("done", "failed");
  const id = await driver.executeScript("return document.documentElement.dataset.file");
  const stored = await emulator.fileInfo(id);
  assert.deepEqual([stored.size, stored.sha1], [file.size, file.sha1]);
}

for (const browser of Object.keys(BROWSERS)) {
  for (const [what, page] of Object.entries(PAGES)) {
    test(`${browser}: ${what} uploads`, () => assertUploads(drivers[browser], `${emulator.address}${page}`));
  }
}

for (const app of ["main", "worker"]) {
  test(`Vite's development server serves a page that uploads: ${app}.js`, async () => {
    const server = await viteServer(emulator.address);
    try {
      await assertUploads(drivers.Chromium, `${server.address}/vite/${app}.html`);
    } finally {
      await server.stop();
    }
  });
}
