// The examples as their READMEs tell, with the installed package: started, looked at, driven.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { build } from "vite";
import { emulatorAt, makeFolder, screenshot, startChromium, startEmulator, startFirefox } from "../e2e/harness.js";
import { PACKED } from "./install.js";

const EXAMPLES = path.join(PACKED, "examples");
/** Slow enough to be met half way, in bytes per second. */
const SLOW = { part_size: 1_048_576, rate: 3_000_000 };
const FAST = { rate: null };

const started = [];
let folder, file, chromium;

before(async () => {
  folder = await makeFolder();
  started.push(folder.remove);
  file = await folder.file("film.mp4", 8);
  chromium = await startChromium();
  started.push(() => chromium.quit());
});

after(async () => {
  for (const end of started.reverse()) await end();
});

/** Starts an example as `npm start` does; resolves once it says where to open it: {address, stop}. */
async function start(example, environment) {
  const { scripts } = JSON.parse(await readFile(path.join(EXAMPLES, example, "package.json"), "utf8"));
  const child = spawn("sh", ["-c", `exec ${scripts.start}`], {
    cwd: path.join(EXAMPLES, example),
    env: { ...process.env, PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let text = "";
  let complaints = "";
  child.stderr.on("data", (chunk) => (complaints += chunk));
  const stop = async () => {
    child.kill();
    await ended;
    assert.equal(complaints, "");
  };
  const address = new Promise((resolve) => {
    child.stdout.on("data", (chunk) => {
      text += chunk;
      const found = /^Open (http:\/\/127\.0\.0\.1:\d+)/m.exec(text);
      if (found) resolve(found[1]);
    });
  });
  const failed = ended.then(([code]) => Promise.reject(new Error(`it ended (${code}): ${text}${complaints}`)));
  return { address: await Promise.race([address, failed]), text: () => text, stop };
}

/** An example's page, by what a user sees: both say the same in the same words. */
class Page {
  constructor(driver) {
    this.driver = driver;
  }

  async open(address) {
    await this.driver.get(address);
    const input = this.driver.findElement({ css: "input[type=file]" });
    await this.driver.wait(() => input.isEnabled(), 30_000, "the page never takes a file");
  }

  pick({ path }) {
    return this.driver.findElement({ css: "input[type=file]" }).sendKeys(path);
  }

  async says(pattern) {
    let text;
    const isSaid = async () => pattern.test((text = await this.#status()));
    await this.driver.wait(isSaid, 30_000).catch(() => assert.fail(`it says “${text}”, and never ${pattern}`));
    return pattern.exec(text);
  }

  async #status() {
    const [status] = await this.driver.findElements({ css: "[role=status]" });
    return status ? status.getText() : "";
  }

  async click(label) {
    const button = { xpath: `//button[normalize-space()="${label}"]` };
    const isShown = async () => {
      const [found] = await this.driver.findElements(button);
      return found !== undefined && found.isDisplayed();
    };
    await this.driver.wait(isShown, 30_000, `there is no button ${label}`);
    await this.driver.findElement(button).click();
  }

  async assertStored(emulator) {
    const [, id] = await this.says(/^Done: the file's id is (\w+)\.$/);
    assert.equal((await emulator.fileInfo(id)).sha1, file.sha1);
  }
}

/** Pauses and goes on, leaves in the middle and goes on, fails and is told so. */
async function assertComplete(page, address, emulator, consumer) {
  await emulator.settings(consumer, SLOW);
  await page.open(address);
  await page.pick(file);
  await page.says(/^[1-9]\d? %/);
  await screenshot(page.driver, `example-${consumer}`);
  await page.click("Pause");
  await page.says(/^Paused\.$/);
  await page.click("Resume");
  await page.says(/^[1-9]\d? %/);

  await page.open(address);
  await emulator.settings(consumer, FAST);
  await page.pick(file);
  await page.says(/left off in the middle/);
  await screenshot(page.driver, `example-${consumer}-resumed`);
  await page.click("Go on");
  await page.assertStored(emulator);
  assert.equal((await emulator.stats(consumer)).requests.create, 1);

  await emulator.faults(consumer, [{ operation: "create", fault: { kind: "status", status: 402, body: { message: "Your plan has no uploads" } } }]);
  await page.open(address);
  await page.pick(file);
  await page.says(/^Your plan has no uploads$/);
  await page.click("Try again");
  await page.assertStored(emulator);
}

test("examples/html: npm start gives a page that uploads, pauses, goes on after a reload, and tells of errors", async () => {
  const example = await start("html");
  try {
    await assertComplete(new Page(chromium), example.address, emulatorAt(example.address), "html");
  } finally {
    await example.stop();
  }
});

test("examples/vite: npm start does, too, with an emulator of its own", async () => {
  const example = await start("vite");
  try {
    const [, upstream] = /^Files go to (http:\S+)$/m.exec(example.text());
    await assertComplete(new Page(chromium), example.address, emulatorAt(upstream), "vite");
  } finally {
    await example.stop();
  }
});

test("examples/vite: with UPLOAD_SERVER it sends the uploads there", async () => {
  const emulator = await startEmulator(PACKED);
  const example = await start("vite", { UPLOAD_SERVER: emulator.address });
  try {
    const page = new Page(chromium);
    await page.open(example.address);
    await page.pick(file);
    await page.assertStored(emulator);
  } finally {
    await example.stop();
    await emulator.stop();
  }
});

test("examples/vite: what npm run build makes uploads in Firefox", async () => {
  await build({ root: path.join(EXAMPLES, "vite"), logLevel: "warn" });
  const built = path.join(EXAMPLES, "vite/dist");
  const emulator = await startEmulator(built);
  const firefox = await startFirefox();
  try {
    const page = new Page(firefox);
    await page.open(emulator.address);
    await page.pick(file);
    await page.assertStored(emulator);
  } finally {
    await firefox.quit();
    await emulator.stop();
  }
});
