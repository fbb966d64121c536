// What the page shows where something is amiss or narrow, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "selenium-webdriver";
import { screenshot, startChromium } from "./harness.js";
import { useBrowser } from "./setup.js";

const shared = useBrowser(startChromium, { name: "a-name-without-any-blank-that-is-longer-than-the-screen-of-a-phone.bin", mib: 24 });

test("a phone of 320 pixels never scrolls sideways", async () => {
  await shared.driver.sendDevToolsCommand("Emulation.setDeviceMetricsOverride", {
    width: 320, height: 640, deviceScaleFactor: 2, mobile: true,
  });
  const page = await shared.open("?service=box");
  const widths = () => shared.driver.executeScript("return [document.documentElement.scrollWidth, innerWidth]");
  assert.deepEqual(await widths(), [320, 320]);
  await page.emulator.faults(page.consumerId, [
    { operation: "upload", times: 2, fault: { kind: "status", status: 503 } },
    { operation: "finish", times: 1, fault: { kind: "status", status: 402 } },
  ]);
  const [card] = await page.pick(shared.file);
  await card.waitFor("failed");
  await shared.driver.wait(() => card.data("code"), 10_000);
  await card.part("error").findElement({ css: "summary" }).click();
  assert.deepEqual(await widths(), [320, 320]);
  await card.click("remove");
  const entry = await page.unfinished(shared.file.name);
  await page.element("options").findElement({ css: "summary" }).click();
  await screenshot(shared.driver, "phone-320-unfinished");
  assert.deepEqual(await widths(), [320, 320]);
  await (await entry.goOn(shared.file)).verdict();
  await screenshot(shared.driver, "phone-320");
  assert.deepEqual(await widths(), [320, 320]);
  await shared.driver.sendDevToolsCommand("Emulation.clearDeviceMetricsOverride", {});
});

test("a name that turns the direction of the text around is shown as it is", async () => {
  const page = await shared.open("?service=dropbox");
  const card = await page.drop("invoice\u202egnp.exe");
  assert.equal(await card.text("name"), "invoice\ufffdgnp.exe");
  assert.equal(await card.part("name").getTagName(), "bdi");
  assert.equal(await card.verdict(), "equal");
});

test("a delay that rounds to nothing is called at once", async () => {
  await shared.open();
  const sentences = await shared.driver.executeAsyncScript(async (delays, done) => {
    const { retrySentence } = await import("/words.js");
    done(delays.map((delay) => retrySentence({ operation: "upload", partNumber: 4, delay, error: { status: 503 } })));
  }, [0, 49, 50]);
  const atOnce = "Part 4: 503, trying again at once";
  assert.deepEqual(sentences, [atOnce, atOnce, "Part 4: 503, trying again in 0.1 s"]);
});

test("a copy that differs is never called the same", async () => {
  const page = await shared.open("?service=dropbox");
  // The server refuses wrong bytes itself, so the page is told another digest than the copy's.
  await shared.driver.executeScript(() => {
    const real = window.fetch;
    window.fetch = async (url, options) =>
      String(url).endsWith("/info") ? Response.json({ sha1: "0".repeat(40) }) : real(url, options);
  });
  const [card] = await page.pick(shared.file);
  assert.equal(await card.verdict(), "different");
  assert.match(await card.text("verdict"), /The copy differs/);
  assert.doesNotMatch(await card.element.getText(), /Byte for byte the same/);
  await page.waitForAnnouncement(/The copy differs/);
});

test("a copy that cannot be asked for is never called the same", async () => {
  const page = await shared.open("?service=dropbox");
  await shared.driver.executeScript(() => {
    const real = window.fetch;
    window.fetch = async (url, options) =>
      String(url).endsWith("/info") ? new Response("", { status: 404 }) : real(url, options);
  });
  const [card] = await page.pick(shared.file);
  assert.equal(await card.verdict(), "unknown");
  assert.match(await card.text("verdict"), /could not be compared: the emulator answered 404/);
});

test("a module that cannot be loaded is told in words, and no file can be chosen", async () => {
  await shared.driver.sendDevToolsCommand("Network.enable", {});
  await shared.driver.sendDevToolsCommand("Network.setBlockedURLs", { urls: ["*.wasm"] });
  await shared.driver.get(`${shared.emulator.address}/`);
  const notices = shared.driver.findElement({ id: "notices" });
  await shared.driver.wait(until.elementTextMatches(notices, /The upload module could not be loaded/), 10_000);
  assert.equal(await shared.driver.findElement({ id: "file-input" }).isEnabled(), false);
});
