// A page of someone else's that uses `upload-session/worker`, and what its tests share.

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before } from "node:test";
import { makeFolder, startEmulator } from "./harness.js";

const PAGE = `<!doctype html><title>A page of someone else's</title><input type="file" multiple>
<script type="module">
  import init, * as worker from "/pkg/dist/worker.js";
  Object.assign(window, worker, { init });
  window.file = (index = 0) => document.querySelector("input").files[index];
  // What tests look at: which states there were, and the ends of promises as plain data.
  window.watch = (session) => {
    const states = [];
    session.on("state", ({ state }) => states.push(state));
    return states;
  };
  window.end = (promise) => promise.then((value) => ({ value }), (error) => ({ error: plain(error) }));
  window.until = async (session, event, isSo = () => true) => new Promise((resolve) => {
    const off = session.on(event, (detail) => isSo(detail) && (off(), resolve(detail)));
  });
  // Whether a snapshot, or the record of one, counts a part as done.
  window.countsPart = ({ acknowledged }, partNumber) => acknowledged.some(([first, last]) => first <= partNumber && partNumber <= last);
  // What a reload finds of a session that has said that a part is done: its record is written a moment later.
  window.recorded = async (sessionId, partNumber) => {
    for (;;) {
      const records = await new Promise((resolve, reject) => {
        const opening = indexedDB.open("upload-session");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const asking = opening.result.transaction("records").objectStore("records").getAll();
          asking.onerror = () => reject(asking.error);
          asking.onsuccess = () => (opening.result.close(), resolve(asking.result));
        };
      });
      const record = records.find((record) => record.sessionId === sessionId && countsPart(record, partNumber));
      if (record) return record;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const plain = (error) => ({ isUploadError: error instanceof worker.UploadError, message: error.message, ...error, cause: error.cause });
  window.plain = plain;
  document.documentElement.dataset.ready = "";
</script>`;

// A worker that ends with an error as soon as an upload is paused.
const MORTAL = `import "/pkg/dist/thread.js";
addEventListener("message", ({ data }) => { if (data[0] === "pause") throw new Error("an end for the test"); });`;

/** Registers start and end; the object it returns is filled before the first test. */
export function useWorkerPage(startDriver, { name, mib }) {
  const shared = {};
  const started = [];
  before(async () => {
    shared.folder = await makeFolder();
    started.push(shared.folder.remove);
    shared.file = await shared.folder.file(name, mib);
    await writeFile(path.join(shared.folder.path, "index.html"), PAGE);
    await writeFile(path.join(shared.folder.path, "mortal.js"), MORTAL);
    shared.emulator = await startEmulator(shared.folder.path);
    started.push(shared.emulator.stop);
    shared.driver = await startDriver();
    started.push(() => shared.driver.quit());
    await shared.driver.manage().setTimeouts({ script: 60_000 });
  });
  after(async () => {
    for (const end of started.reverse()) await end();
  });

  /** Opens the page afresh and picks files; options are those of an upload of this consumer. */
  shared.open = async (consumerId, { files = [shared.file], init = "await init()" } = {}) => {
    await shared.emulator.settings(consumerId, { part_size: 1_048_576 });
    await shared.driver.get(shared.emulator.address);
    await shared.driver.wait(() => shared.driver.executeScript("return 'ready' in document.documentElement.dataset"), 30_000);
    await shared.driver.findElement({ css: "input" }).sendKeys(files.map((file) => file.path).join("\n"));
    const options = { serverUrl: "/", apiKey: "key", appId: "app", consumerId, serviceId: "dropbox", parentFolderId: "root" };
    await shared.driver.executeScript("window.options = arguments[0]", options);
    if (init) await shared.run(`async () => { ${init} }`);
  };

  /** Runs an asynchronous function in the page. */
  shared.run = async (script, ...args) => {
    const source = `const done = arguments[arguments.length - 1];
      (${script})(...arguments).then((value) => done({ value }), (error) => done({ error: error.stack ?? String(error) }));`;
    const { value, error } = await shared.driver.executeAsyncScript(source, ...args);
    if (error) throw new Error(error);
    return value;
  };

  /** Waits until the emulator's view of a consumer is as asked; returns that view. */
  shared.waitForStats = async (consumerId, isSo) => {
    let stats;
    await shared.driver.wait(async () => isSo((stats = await shared.emulator.stats(consumerId))), 30_000);
    return stats;
  };
  return shared;
}
