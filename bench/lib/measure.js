// One upload of one contestant, in a browser of its own.

import { startChromium, startFirefox } from "../../tests/e2e/harness.js";
import { browserProcesses } from "../../tests/e2e/processes.js";
import { cpuSeconds, largest, renderers, resetPeaks, total } from "./processes.js";

/** Longest time that one upload may take, in milliseconds. */
const PATIENCE_MS = 20 * 60_000;

/** Names as they stand in the tables. */
export const BROWSERS = { chromium: "Chromium", firefox: "Firefox" };
const START = { chromium: () => startChromium(), firefox: () => startFirefox() };

/**
 * Opens the page, picks the file, and waits for the end; resolves with seconds, CPU seconds of the whole browser, and the
 * memory of the page's process and the sum of all processes' peaks, in bytes. `around` wraps the upload, for what else is to be recorded of it.
 */
export async function measure(browser, url, file, around = (driver, run) => run()) {
  const driver = await START[browser]();
  try {
    await driver.manage().setTimeouts({ script: PATIENCE_MS, pageLoad: 60_000 });
    await driver.get(url);
    await ask(driver, "ready");
    return await around(driver, () => upload(driver, file));
  } finally {
    await driver.quit();
  }
}

async function upload(driver, file) {
  const pages = await renderers(driver);
  const all = await browserProcesses(driver);
  await resetPeaks(all);
  const memoryBefore = await largest(pages, "VmRSS");
  const cpuBefore = await cpuSeconds(driver);
  await driver.findElement({ css: "input" }).sendKeys(file);
  const told = await ask(driver, "result");
  const cpu = (await cpuSeconds(driver)) - cpuBefore;
  return { ...told, cpu, memoryBefore, memoryPeak: await largest(pages, "VmHWM"), memoryOfAll: await total(all, "VmHWM") };
}

/** Waits for what the page promises by that name. */
async function ask(driver, name) {
  const { value, error } = await driver.executeAsyncScript((what, done) => {
    const wait = () => (globalThis.bench ? globalThis.bench[what](done) : setTimeout(wait, 10));
    wait();
  }, name);
  if (error) throw new Error(`in the page: ${error}`);
  return value;
}
