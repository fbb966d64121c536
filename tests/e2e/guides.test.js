// The guides' examples as a reader makes files of them: the server and page of docs/getting-started.md, and the widget.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { By, until } from "selenium-webdriver";
import { blocks } from "../docs/markdown.js";
import { makeFolder, startChromium, startEmulator } from "./harness.js";

const GUIDES = new URL("../../docs/", import.meta.url);
/** Has what a reader of the guide has installed. */
const PACKAGES = fileURLToPath(new URL("../docs/node_modules", import.meta.url));
/** Whom the example's `authorize` takes everybody for. */
const CONSUMER = "test-consumer";
const PATIENCE = 60_000;

let folder, emulator, server, driver, file;
const started = [];

before(async () => {
  folder = await makeFolder();
  started.push(folder.remove);
  file = await folder.file("report.pdf", 25);
  await mkdir(path.join(folder.path, "public"));
  await symlink(PACKAGES, path.join(folder.path, "node_modules"));
  await save("getting-started.md", { js: "server.mjs", html: "public/index.html" });
  await save("progress-and-ui.md#a-widget", { js: "public/upload-widget.js", html: "public/widget.html" });
  emulator = await startEmulator(folder.path);
  started.push(emulator.stop);
  server = await startServer();
  started.push(server.stop);
  driver = await startChromium();
  started.push(() => driver.quit());
});

after(async () => {
  for (const end of started.reverse()) await end();
});

/** Saves the first example of each language, behind a heading where there is one, under the names that the guide gives. */
async function save(guide, names) {
  const [name, anchor] = guide.split("#");
  const markdown = await readFile(new URL(name, GUIDES), "utf8");
  const heading = anchor ? new RegExp(`^## ${anchor.replaceAll("-", "[ -]")}$`, "im").exec(markdown) : { index: 0 };
  const examples = blocks(name, markdown.slice(heading.index));
  for (const [language, file] of Object.entries(names)) {
    const example = examples.find((block) => block.language === language);
    assert.ok(markdown.includes(`\`${file}\``), `${name} does not say that it is ${file}`);
    await writeFile(path.join(folder.path, file), example.text);
  }
}

/** Starts the guide's server before the emulator; resolves once it has printed its address. */
async function startServer() {
  const secrets = { APIDECK_API_KEY: "any", APIDECK_APP_ID: "any", SESSION_SECRET: "of thirty-two characters or more" };
  const child = spawn(process.execPath, ["server.mjs"], {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...secrets, UPSTREAM: emulator.address, PORT: "0" },
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const address = await new Promise((resolve, reject) => {
    exited.then((code) => reject(new Error(`the server ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).once("line", resolve);
  });
  const stop = async () => {
    child.kill();
    await exited;
  };
  return { address, stop };
}

const element = (css) => driver.findElement(By.css(css));
const waitForText = (css, text) => driver.wait(until.elementTextMatches(element(css), text), PATIENCE);

async function assertStored() {
  const [stored, ...more] = await emulator.files(CONSUMER);
  assert.deepEqual([stored.name, stored.size, stored.sha1, stored.service], [file.name, file.size, file.sha1, "box"]);
  assert.deepEqual(more, []);
  await emulator.reset();
}

test("the page and the server of Getting started upload a file", async () => {
  await driver.get(server.address);
  await waitForText("[role=status]", /Pick a file/);
  await element("input").sendKeys(file.path);
  await waitForText("[role=status]", /Stored as report\.pdf, id \w+/);
  assert.equal(await element("progress").getAttribute("value"), "1");
  await assertStored();
});

test("what a reload interrupts on that page goes on when the same file is picked", async () => {
  await emulator.settings(CONSUMER, { rate: 8_000_000 });
  await driver.get(server.address);
  await waitForText("[role=status]", /Pick a file/);
  await element("input").sendKeys(file.path);
  const isPartDone = async () => (await emulator.stats(CONSUMER)).parts_accepted >= 1;
  await driver.wait(isPartDone, PATIENCE);
  // The record is written right behind the answer that it is about.
  await driver.wait(async () => Number(await element("progress").getAttribute("value")) > 0.4, PATIENCE);
  await driver.navigate().refresh();
  await waitForText("[role=status]", /Pick a file/);
  await emulator.settings(CONSUMER, { rate: null });
  await element("input").sendKeys(file.path);
  await waitForText("[role=status]", /Stored as report\.pdf/);
  assert.equal((await emulator.stats(CONSUMER)).requests.create, 1);
  await assertStored();
});

test("the widget uploads a file, pauses, goes on, and tells of its end", async () => {
  await emulator.settings(CONSUMER, { rate: 8_000_000 });
  await driver.get(`${server.address}/widget.html`);
  await driver.executeScript(() => {
    document.querySelector("upload-widget").addEventListener("uploaded", ({ detail }) => { window.uploaded = detail; });
  });
  await element("input").sendKeys(file.path);
  await waitForText("[role=status]", /Uploading|%/);
  const [pause, cancel] = await driver.findElements(By.css("button"));
  await pause.click();
  await waitForText("[role=status]", /Paused/);
  assert.equal(await pause.getText(), "Go on");
  await emulator.settings(CONSUMER, { rate: null });
  await pause.click();
  await waitForText("[role=status]", /Uploaded/);
  assert.deepEqual([await pause.isEnabled(), await cancel.isEnabled()], [false, false]);
  assert.equal((await driver.executeScript(() => window.uploaded)).name, file.name);
  assert.equal(await element("[role=alert]").getText(), "");
  await assertStored();
});

test("the widget cancels, and leaves nothing on the server", async () => {
  await emulator.settings(CONSUMER, { rate: 8_000_000 });
  await driver.get(`${server.address}/widget.html`);
  await element("input").sendKeys(file.path);
  await waitForText("[role=status]", /Uploading|%/);
  await element("[data-do=abort]").click();
  await waitForText("[role=status]", /Cancelled/);
  await driver.wait(async () => (await emulator.sessions(CONSUMER)).length === 0, PATIENCE);
  assert.deepEqual(await emulator.files(CONSUMER), []);
  await emulator.reset();
});

test("the widget says what went wrong, and leaves nothing where that would not go away", async () => {
  await emulator.faults(CONSUMER, [{ operation: "finish", fault: { kind: "status", status: 402 } }]);
  await driver.get(`${server.address}/widget.html`);
  await element("input").sendKeys(file.path);
  await waitForText("[role=alert]", /That did not work/);
  await driver.wait(async () => (await emulator.sessions(CONSUMER)).length === 0, PATIENCE);
  assert.ok(await element("input").isEnabled());
  await emulator.reset();
});
