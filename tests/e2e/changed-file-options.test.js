// A file that changes on disk, and the options that decide how it is read and sent: on a page of someone else's, in
// both browsers.

import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { until } from "selenium-webdriver";
import { CHANGES, write } from "./changed-file.js";
import { makeFolder, startChromium, startEmulator, startFirefox } from "./harness.js";

const PAGE = `<!doctype html><title>A page of someone else's</title>
<script type="importmap">{ "imports": { "upload-session": "/pkg/index.js" } }</script>
<input type="file">
<script type="module">
import init, { UploadSession, UploadSessionsApi } from "upload-session";
await init();
const picked = () => document.querySelector("input").files[0];
const ends = (promise) => (window.ended = promise.then((file) => ({ file }), ({ code, message }) => ({ code, message })));
window.begin = (options) => void ends(new UploadSession(picked(), options).start());
window.send = ({ parentFolderId, ...options }) =>
  void ends(new UploadSessionsApi(options).uploadFile({ name: "a.bin", parentFolderId, body: picked() }));
document.body.dataset.ready = "";
</script>`;
/** Slow enough to be met half way, in bytes per second. */
const SLOW = { rate: 10_000_000 };
const FAST = { rate: null };

for (const [browser, startBrowser] of [["Chromium", startChromium], ["Firefox", startFirefox]]) {
  describe(browser, () => {
    let folder, emulator, driver;
    let uploads = 0;

    before(async () => {
      folder = await makeFolder();
      await writeFile(path.join(folder.path, "index.html"), PAGE);
      emulator = await startEmulator(folder.path);
      driver = await startBrowser();
      await driver.manage().setTimeouts({ script: 20_000 });
    });

    after(async () => {
      await driver?.quit();
      await emulator?.stop();
      await folder?.remove();
    });

    /** Opens the page afresh and picks a file in it; the consumer is a new one. */
    async function pick(file) {
      uploads += 1;
      await driver.get(emulator.address);
      await driver.wait(until.elementLocated({ css: "[data-ready]" }), 20_000, "the module did not load");
      await driver.findElement({ css: "input" }).sendKeys(file.path);
      return `consumer-${uploads}`;
    }

    const target = { serverUrl: "/", apiKey: "key", appId: "app", serviceId: "dropbox", parentFolderId: "root" };
    const start = (consumerId, options) =>
      driver.executeScript((options) => window.begin(options), { ...target, consumerId, ...options });

    const ended = () => driver.executeAsyncScript((done) => window.ended.then(done));

    async function assertChanged(consumerId, result) {
      assert.equal(result.code, "file_changed", JSON.stringify(result));
      assert.deepEqual(await emulator.files(consumerId), []);
    }

    /** Uploads a file that changes half way. */
    async function changeHalfWay(options, change) {
      const file = await folder.file("half-way.bin", 40);
      const consumerId = await pick(file);
      await emulator.settings(consumerId, SLOW);
      await start(consumerId, { direct: "never", ...options });
      await driver.wait(async () => (await emulator.stats(consumerId)).parts_accepted >= 1, 60_000, "no part was taken");
      await change(file, folder);
      await emulator.settings(consumerId, FAST);
      return { consumerId, result: await ended() };
    }

    for (const [how, change] of Object.entries(CHANGES)) {
      test(`${browser}: a file that is ${how} while its slices are sent ends as file_changed`, async () => {
        // Firefox never ends a request whose content is gone from under it: then it is the stall that does.
        const { consumerId, result } = await changeHalfWay({ body: "blob", stallTimeout: 3000 }, change);
        await assertChanged(consumerId, result);
      });
    }

    test(`${browser}: a file is found to be overwritten though no digest was asked for`, async () => {
      const overwrite = CHANGES["overwritten in place with the same size"];
      const { consumerId, result } = await changeHalfWay({ digest: "none" }, overwrite);
      await assertChanged(consumerId, result);
    });

    // Firefox reads the file as a whole once half of it has arrived, and every slice that is sent from then on by itself.
    test(`${browser}: a file that is overwritten where it is being sent at last ends as file_changed`, async () => {
      const file = await folder.file("late.bin", 96);
      const consumerId = await pick(file);
      await emulator.settings(consumerId, { rate: 20_000_000 });
      // One part after the other: the last ones are still to be sent then.
      await start(consumerId, { serviceId: "google-drive", digest: "none" });
      const isLate = async () => (await emulator.stats(consumerId)).parts_accepted >= 10;
      await driver.wait(isLate, 60_000, "ten parts of thirteen were not taken");
      await write(file, file.size - 1_000_000);
      await emulator.settings(consumerId, FAST);
      await assertChanged(consumerId, await ended());
    });

    // What Firefox never read it cannot know again: there a file of the same size is uploaded as it is by then.
    const known = Object.entries(CHANGES).filter(([how]) => browser === "Chromium" || /appended|truncated|deleted/.test(how));
    for (const [kind, mib, options] of [["large", 24, { direct: "never" }], ["small", 1, { direct: "auto" }]]) {
      for (const [how, change] of known) {
        test(`${browser}: a ${kind} file that is ${how} after it was picked ends as file_changed`, async () => {
          const file = await folder.file("picked.bin", mib);
          const consumerId = await pick(file);
          await change(file, folder);
          await start(consumerId, options);
          await assertChanged(consumerId, await ended());
        });
      }
    }

    for (const how of ["truncated", "deleted"]) {
      test(`${browser}: a single call that sends a file that is ${how} ends as file_changed`, async () => {
        const file = await folder.file("single.bin", 1);
        const consumerId = await pick(file);
        await CHANGES[how](file);
        await driver.executeScript((options) => window.send(options), { ...target, consumerId });
        await assertChanged(consumerId, await ended());
      });
    }

    if (browser === "Firefox") {
      test("Firefox: a file that is replaced after it was picked is uploaded whole as it is then", async () => {
        const file = await folder.file("picked.bin", 24);
        const consumerId = await pick(file);
        const other = await folder.file("other.bin", 24);
        await rename(other.path, file.path);
        await start(consumerId, {});
        const { file: uploaded, ...failure } = await ended();
        assert.ok(uploaded, JSON.stringify(failure));
        assert.equal((await emulator.fileInfo(uploaded.id)).sha1, other.sha1);
      });
    }

    test(`${browser}: an empty file that is no longer empty ends as file_changed`, async () => {
      const file = await folder.emptyFile("empty.bin");
      const consumerId = await pick(file);
      await CHANGES.appended(file);
      await start(consumerId, {});
      await assertChanged(consumerId, await ended());
    });
  });
}
