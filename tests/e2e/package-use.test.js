// The package as a page of someone else's uses it: the README's example, and a session of which only the promise is kept.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { makeFolder, startChromium, startEmulator } from "./harness.js";

const PAGE = `<!doctype html><title>A page of someone else's</title>
<script type="importmap">{ "imports": { "upload-session": "/pkg/index.js" } }</script>
<input type="file">`;

let folder, emulator, driver, file;

before(async () => {
  folder = await makeFolder();
  file = await folder.file("report.pdf", 30);
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [, example] = /```js\n([^]*?)```/.exec(readme);
  await writeFile(path.join(folder.path, "example.js"), example);
  await writeFile(path.join(folder.path, "token"), "a-token");
  await writeFile(path.join(folder.path, "index.html"), PAGE);
  emulator = await startEmulator(folder.path);
  driver = await startChromium("--js-flags=--expose-gc");
  await driver.get(emulator.address);
  await driver.findElement({ css: "input" }).sendKeys(file.path);
  await driver.manage().setTimeouts({ script: 60_000 });
});

after(async () => {
  await driver?.quit();
  await emulator?.stop();
  await folder?.remove();
});

test("the README's example uploads a file, tells its progress, and resolves to the file", async () => {
  const { uploaded, progress } = await driver.executeAsyncScript((done) => {
    const file = document.querySelector("input").files[0];
    const progress = [];
    import("/example.js")
      .then(({ upload }) => upload(file, (share) => progress.push(share)))
      .then((uploaded) => done({ uploaded, progress }), (error) => done({ uploaded: String(error), progress }));
  });
  assert.equal(uploaded.name, "report.pdf");
  assert.equal(uploaded.size, file.size);
  assert.equal((await emulator.fileInfo(uploaded.id)).sha1, file.sha1);
  assert.equal(progress.at(-1), 1);
});

test("the README's example leaves nothing on the server where the upload fails", async () => {
  await emulator.faults("your-customer", [{ operation: "finish", fault: { kind: "status", status: 402 } }]);
  const failure = await driver.executeAsyncScript((done) => {
    const file = document.querySelector("input").files[0];
    import("/example.js")
      .then(({ upload }) => upload(file, () => {}))
      .then(() => done("it did not fail"), (error) => done(error.code));
  });
  assert.equal(failure, "payment_required");
  assert.deepEqual(await emulator.sessions("your-customer"), []);
});

test("a read that a restart cuts short leaves the next one nothing to stumble over", async () => {
  await emulator.settings("restarting", { part_size: 1_048_576 });
  await emulator.faults("restarting", [{ operation: "upload", part_number: 0, fault: { kind: "expire" } }]);
  const { uploaded, creations } = await driver.executeAsyncScript((done) => {
    const file = document.querySelector("input").files[0];
    import("upload-session").then(async ({ default: init, UploadSession }) => {
      await init();
      const options = {
        serverUrl: "/", apiKey: "key", appId: "app", consumerId: "restarting", serviceId: "dropbox", parentFolderId: "root", restart: true,
      };
      const { fetch } = window;
      const { read } = ReadableStreamBYOBReader.prototype;
      const [underWay, held] = [Promise.withResolvers(), Promise.withResolvers()];
      let creations = 0;
      let ends = 0;
      // The end of a part's read waits for the fresh session to be asked for, and the answer that leads there for that read.
      ReadableStreamBYOBReader.prototype.read = async function (room) {
        const { length } = room;
        const result = await read.call(this, room);
        if (creations === 1 && result.value?.length === length && ++ends === 4) {
          underWay.resolve();
          await held.promise;
        }
        return result;
      };
      window.fetch = async (url, init) => {
        if (init.method === "POST" && String(url).endsWith("/upload-sessions") && ++creations === 2) {
          held.resolve();
          await new Promise((resolve) => setTimeout(resolve));
        }
        const response = await fetch(url, init);
        if (response.status === 404) await underWay.promise;
        return response;
      };
      const uploaded = await new UploadSession(file, options).start().catch((error) => `${error.code}: ${error.message}`);
      window.fetch = fetch;
      ReadableStreamBYOBReader.prototype.read = read;
      done({ uploaded, creations });
    });
  });
  assert.equal(uploaded.size, file.size, String(uploaded));
  assert.equal(creations, 2);
  assert.equal((await emulator.fileInfo(uploaded.id)).sha1, file.sha1);
});

test("a session that a page keeps only the promise of is not collected as garbage", async () => {
  await emulator.settings("forgetful", { rate: 30_000_000 });
  const uploaded = await driver.executeAsyncScript((done) => {
    const file = document.querySelector("input").files[0];
    import("upload-session").then(async ({ default: init, UploadSession }) => {
      await init();
      const options = {
        serverUrl: "/", apiKey: "key", appId: "app", consumerId: "forgetful", serviceId: "dropbox", parentFolderId: "root",
      };
      const collecting = setInterval(() => window.gc(), 20);
      const promise = new UploadSession(file, options).start();
      promise.then(done, (error) => done(String(error))).finally(() => clearInterval(collecting));
    });
  });
  assert.equal(uploaded.size, file.size, String(uploaded));
  assert.equal((await emulator.fileInfo(uploaded.id)).sha1, file.sha1);
});
