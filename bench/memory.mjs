// Uploads a file through the demo page, and tells the time and the browser's peak memory, for each body mode.
//
//   cargo xtask test e2e      (once: builds the module and the emulator, installs selenium-webdriver)
//   UPLOAD_EMULATOR_BIN=target/native/upload-emulator node bench/memory.mjs [MiB] [chromium|firefox]

import { readdirSync, readFileSync } from "node:fs";
import { makeFolder, startChromium, startEmulator, startFirefox } from "../tests/e2e/harness.js";
import { DemoPage } from "../tests/e2e/page.js";

const MIB = 1024 * 1024;
const SAMPLE_MS = 50;
const [mib = "256", browser = "chromium"] = process.argv.slice(2);

/** Resident memory of the largest process that runs pages, in MiB (Linux). */
function rendererMemory() {
  const sizes = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      const isRenderer = /--type=renderer|-isForBrowser/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      return isRenderer && kib ? Number(kib) / 1024 : 0;
    } catch {
      return 0; // It ended meanwhile.
    }
  });
  return Math.round(Math.max(...sizes));
}

/** Bytes of the module's linear memory. */
function linearMemory(driver) {
  return driver.executeAsyncScript((done) => {
    import("/pkg/index.js").then(({ default: init }) => init()).then(({ memory }) => done(memory.buffer.byteLength));
  });
}

async function measure(driver, emulator, file, body) {
  const page = await DemoPage.open(driver, emulator, `?service=box&body=${body}`);
  const before = rendererMemory();
  let peak = before;
  const sampling = setInterval(() => { peak = Math.max(peak, rendererMemory()); }, SAMPLE_MS);
  const start = performance.now();
  const [card] = await page.pick(file);
  await card.waitFor("done");
  const seconds = (performance.now() - start) / 1000;
  clearInterval(sampling);
  const linear = await linearMemory(driver);
  const verdict = await card.verdict();
  console.log(`| ${browser} | ${body} | ${mib} | ${seconds.toFixed(1)} | ${before} | ${peak} | ${(linear / MIB).toFixed(1)} | ${verdict} |`);
}

const folder = await makeFolder();
const ends = [folder.remove];
try {
  const file = await folder.file("measured.bin", Number(mib));
  const emulator = await startEmulator();
  ends.push(emulator.stop);
  const driver = await (browser === "firefox" ? startFirefox() : startChromium());
  ends.push(() => driver.quit());
  console.log("| browser | body | MiB | seconds | before, MiB | peak, MiB | linear memory, MiB | both ends |");
  for (const body of ["blob", "buffer"]) await measure(driver, emulator, file, body);
} finally {
  for (const end of ends.reverse()) await end();
}
