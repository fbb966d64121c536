// What goes wrong, and what the visitor sees of it, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Select } from "selenium-webdriver";
import { assertByteExact, assertEveryPartDigested, partsOf } from "./assertions.js";
import { screenshot, startChromium } from "./harness.js";
import { useBrowser } from "./setup.js";

const shared = useBrowser(startChromium, { name: "survivor.bin", mib: 64 });

async function setTimes(page, times) {
  const input = page.element("fault-times");
  await input.clear();
  await input.sendKeys(String(times));
}

test("faults scripted with the panel are listed, survived and cleared", async () => {
  const page = await shared.open("?service=box");
  await setTimes(page, 2);
  for (const fault of ["server-error", "cut", "lost-answer", "rate-limit"]) await page.element(`fault-${fault}`).click();
  const scripted = page.element("scripted");
  await shared.driver.wait(async () => (await scripted.getAttribute("data-count")) === "8", 10_000, "eight faults were never listed");
  assert.match(await scripted.getText(), /2 × server error \(503\)\n2 × cut connection/);
  await new Select(page.element("fault-rate")).selectByVisibleText("20 MB/s");

  const [card] = await page.pick(shared.file);
  await shared.driver.wait(async () => Number(await card.data("retries")) >= 2, 30_000, "nothing was tried again");
  await screenshot(shared.driver, "faults");
  await page.element("fault-clear").click();
  await shared.driver.wait(async () => (await scripted.getAttribute("data-count")) === "0", 10_000, "the faults were never cleared");
  await assertByteExact(card, shared.file);
  assert.match(await card.text("retries"), /Part \d+: \S.*, trying again (in \d+\.\d s|at once)/);
  await screenshot(shared.driver, "survived");
});

test("each server error and each cut connection costs one attempt, and no other part is sent again", async () => {
  const page = await shared.open("?service=box");
  await setTimes(page, 2);
  await page.element("fault-server-error").click();
  await page.element("fault-cut").click();
  const scripted = page.element("scripted");
  await shared.driver.wait(async () => (await scripted.getAttribute("data-count")) === "4", 10_000, "four faults were never listed");
  const [card] = await page.pick(shared.file);
  await assertByteExact(card, shared.file);

  const stats = await page.stats();
  assertEveryPartDigested(stats, partsOf(shared.file));
  const struck = stats.log.filter((entry) => entry.fault);
  assert.deepEqual(struck.map((entry) => entry.fault).sort(), ["reset", "reset", "status", "status"]);
  assert.equal(stats.requests.upload, partsOf(shared.file) + struck.length);
  // A browser sends some requests again by itself, unseen by the page: those that a kept connection broke under.
  const shown = Number(await card.data("retries"));
  assert.ok(shown >= 2 && shown <= struck.length, `${shown} of ${struck.length} shown`);
  await shared.driver.wait(async () => (await scripted.getText()) === "nothing", 10_000, "used up faults are still listed");
});

test("an error is told in words, with code, status and request id behind them, and Retry goes on", async () => {
  const page = await shared.open("?service=box");
  await page.emulator.faults(page.consumerId, [{ operation: "upload", times: 4, fault: { kind: "status", status: 402 } }]);
  const [card] = await page.pick(shared.file);
  await card.waitFor("failed");
  await shared.driver.wait(() => card.data("code"), 10_000, "the card names no code");
  await screenshot(shared.driver, "failed");
  assert.equal(await card.data("code"), "payment_required");
  assert.match(await card.text("error-text"), /has reached what its plan allows/);
  const facts = card.part("error-facts");
  assert.equal(await facts.isDisplayed(), false);
  await card.part("error").findElement({ css: "summary" }).click();
  assert.match(await facts.getText(), /Code\npayment_required\nHTTP status\n402\n[^]*Request id\n\S+/);
  assert.equal(await card.part("result").isDisplayed(), false);
  assert.equal(await card.part("download").isDisplayed(), false);
  assert.deepEqual(await card.buttons(), ["retry", "remove"]);
  await screenshot(shared.driver, "failed-details");

  // Those that the parallel parts did not use up.
  await page.element("fault-clear").click();
  await shared.driver.wait(async () => (await page.element("scripted").getText()) === "nothing", 10_000, "never cleared");
  await card.click("retry");
  await assertByteExact(card, shared.file);
  assert.equal(await card.part("error").isDisplayed(), false);
  assert.deepEqual(await page.emulator.sessions(page.consumerId), []);
  assert.equal((await page.stats()).requests.create, 1, "with the session that it had");
});

test("a finish that fails is never called a success", async () => {
  const page = await shared.open("?service=dropbox");
  await page.emulator.faults(page.consumerId, [{ operation: "finish", times: 1, fault: { kind: "status", status: 422 } }]);
  const [card] = await page.pick(shared.file);
  await card.waitFor("failed");
  await page.waitForAnnouncement(/survivor\.bin: Failed\. The server understood/);
  assert.equal(await card.data("code"), "unprocessable");
  assert.equal(await card.data("verdict"), null);
  assert.equal(await card.part("result").isDisplayed(), false);
  assert.doesNotMatch(await card.element.getText(), /Uploaded|same/);
  // What failed can still be gone on with, until it is discarded.
  await page.waitForUnfinished(0);
  await card.click("remove");
  const entry = await page.unfinished(shared.file.name);
  assert.match(await entry.text("unfinished-amount"), /\(100 %\)/);
  assert.equal((await page.stats()).sessions_open, 1);
  await entry.part("discard").click();
  await page.waitForStats((stats) => stats.sessions_open === 0, "the failed upload's session gone");
});

test("a file that is too small for Box's sessions is refused in words that say what to do", async () => {
  const small = await shared.folder.file("small.bin", 1);
  const page = await shared.open("?service=box&direct=never");
  const [card] = await page.pick(small);
  await card.waitFor("failed");
  await page.waitForAnnouncement(/small\.bin: Failed\./);
  assert.match(await card.text("error-text"), /files of 20 MB and more; this one has 1\.05 MB\. Choose another storage/);
  assert.deepEqual(await card.buttons(), ["remove"], "trying again cannot help");
});

test("a name that cannot be used is called so, and Retry is not offered", async () => {
  const page = await shared.open("?service=dropbox");
  const card = await page.drop("bell\u0007.bin");
  await card.waitFor("failed");
  await page.waitForAnnouncement(/bell\ufffd\.bin: Failed\. The file's name/);
  assert.equal(await card.data("code"), "invalid_argument");
  assert.match(await card.text("error-text"), /name is empty or has control characters/);
  assert.deepEqual(await card.buttons(), ["remove"]);
});

test("a session that is gone from the server is told as such, and Retry forgets what was tried again", async () => {
  const page = await shared.open("?service=box");
  await page.emulator.faults(page.consumerId, [
    { operation: "upload", times: 1, fault: { kind: "status", status: 503 } },
    { operation: "finish", times: 1, fault: { kind: "expire" } },
  ]);
  const [card] = await page.pick(shared.file);
  await card.waitFor("failed");
  await page.waitForAnnouncement(/Failed\./);
  assert.equal(await card.data("retries"), "1");
  assert.equal(await card.data("code"), "session_expired");
  assert.match(await card.text("error-text"), /no longer knows this upload: it expired, or was removed there\. Retry starts over/);
  await card.click("retry");
  await assertByteExact(card, shared.file);
  assert.equal(await card.data("retries"), null);
});

test("the fault panel sends nothing but whole numbers of parts, and tells its errors in words", async () => {
  const page = await shared.open("?service=box");
  const problem = page.element("fault-error");
  const asked = () => shared.driver.executeScript("return performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/faults')).length");
  await shared.driver.wait(async () => (await page.element("scripted").getText()) === "nothing", 10_000, "never listed");
  const before = await asked();
  for (const times of ["", "0", "1.5"]) {
    await setTimes(page, times);
    await page.element("fault-cut").click();
    assert.equal(await shared.driver.executeScript("return document.activeElement.validationMessage !== ''"), true, times);
  }
  await page.frames(6);
  assert.equal(await asked(), before);
  assert.equal(await problem.isDisplayed(), false);

  await setTimes(page, 1);
  const answer = (status) => shared.driver.executeScript((code) => {
    window.realFetch ??= window.fetch;
    window.fetch = code ? async () => Response.json({ message: "raw" }, { status: code }) : () => Promise.reject(new TypeError("raw"));
  }, status);
  for (const [status, words] of [[400, "The emulator did not take that: it answered 400."], [0, "The emulator cannot be reached. Is it still running?"]]) {
    await answer(status);
    await page.element("fault-cut").click();
    await shared.driver.wait(async () => (await problem.getText()) === words, 10_000, words);
  }
  await shared.driver.executeScript("window.fetch = window.realFetch");
  await page.element("fault-cut").click();
  await shared.driver.wait(async () => !(await problem.isDisplayed()), 10_000, "the error never went");
});

test("with the option to begin again, a session that is lost is replaced, and the visitor is told", async () => {
  const page = await shared.open("?service=box");
  await page.element("options").findElement({ css: "summary" }).click();
  await page.element("restart").click();
  await page.emulator.faults(page.consumerId, [{ operation: "upload", part_number: 4, fault: { kind: "expire" } }]);
  const [card] = await page.pick(shared.file);
  await assertByteExact(card, shared.file);
  assert.equal(await card.data("warnings"), "restarted");
  assert.equal(await card.text("warning"), "The server has lost the upload. It begins again from the start.");
  await screenshot(shared.driver, "restarted");
  assert.equal((await page.stats()).requests.create, 2);
});

test("a browser that cannot keep the page's notes is told once, and the file arrives", async () => {
  const page = await shared.open("?service=box");
  await shared.driver.executeScript(() => {
    IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
  });
  const [card] = await page.pick(shared.file);
  await assertByteExact(card, shared.file);
  assert.equal(await card.data("warnings"), "storage");
  assert.match(await card.text("warning"), /cannot keep its notes about this upload\. It runs on, but would not survive a reload/);
});

test("an answer lost after a small file was sent is told: it may be there twice", async () => {
  const small = await shared.folder.file("twice.bin", 1);
  const page = await shared.open("?service=dropbox");
  await page.emulator.faults(page.consumerId, [{ operation: "direct", fault: { kind: "status", status: 503 } }]);
  const [card] = await page.pick(small);
  await assertByteExact(card, small);
  assert.equal(await card.data("warnings"), "possible_duplicate");
  assert.match(await card.text("warning"), /may be there twice/);
});

test("a file whose name on the server is not known is called stored, never the same", async () => {
  const page = await shared.open("?service=dropbox");
  // More often than the browser itself sends a request again.
  await page.emulator.faults(page.consumerId, [{ operation: "finish", fault: { kind: "lost_answer" } }]);
  const [card] = await page.pick(shared.file);
  assert.equal(await card.verdict(), "unknown");
  assert.equal(await card.data("warnings"), "file_id_unknown");
  assert.match(await card.text("verdict"), /^Stored, but not compared/);
  assert.equal(await card.part("download").isDisplayed(), false);
  const [file] = await page.emulator.files(page.consumerId);
  assert.equal(file.sha1, shared.file.sha1);
});
