// What the end-to-end tests stand on: a real emulator, real browsers, real files. Everything that is started
// here is ended by its own handle.

import { spawn } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Builder } from "selenium-webdriver";
import * as chrome from "selenium-webdriver/chrome.js";
import * as firefox from "selenium-webdriver/firefox.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MIB = 1024 * 1024;
/** Beyond a whole number of parts, so that the last part is an odd one. */
const ODD_BYTES = 4321;

/** Size of the large file in MiB. */
export const LARGE_MIB = Number(process.env.UPLOAD_E2E_SIZE_MIB ?? 200);
/** Size of the file that goes through the upload edge in MiB. */
export const EDGE_MIB = Number(process.env.UPLOAD_E2E_EDGE_MIB ?? 1024);

// The drivers are given below: nothing is looked up or downloaded.
process.env.SE_OFFLINE = "true";
process.env.SE_AVOID_STATS = "true";

/** Starts the emulator with a page and the package mounted; resolves once it has printed its address. */
export async function startEmulator(page = path.join(ROOT, "www"), flags = []) {
  const binary = process.env.UPLOAD_EMULATOR_BIN;
  if (!binary) throw new Error("UPLOAD_EMULATOR_BIN must name the upload-emulator binary");
  const mounts = [`--mount=/=${page}`, `--mount=/pkg=${path.join(ROOT, "pkg")}`];
  const child = spawn(binary, ["--port=0", "--quiet", ...mounts, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const address = new Promise((resolve, reject) => {
    child.once("error", reject);
    exited.then((code) => reject(new Error(`the emulator ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
      if (found) resolve(found[0]);
    });
  });
  return new Emulator(await address, async () => {
    child.kill();
    await exited;
  });
}

/** An emulator that somebody else started, and ends. */
export function emulatorAt(address) {
  return new Emulator(address);
}

/** The emulator's control API. */
class Emulator {
  constructor(address, stop) {
    this.address = address;
    this.stop = stop;
  }

  /** What one consumer, that is one tab, has asked of it. */
  stats(consumerId) {
    return this.#call("GET", `stats?consumer_id=${consumerId}`);
  }

  /** The sessions of one consumer that are open. */
  sessions(consumerId) {
    return this.#call("GET", `sessions?consumer_id=${consumerId}`);
  }

  /** The files of one consumer that are finished. */
  files(consumerId) {
    return this.#call("GET", `files?consumer_id=${consumerId}`);
  }

  fileInfo(id) {
    return this.#call("GET", `files/${id}/info`);
  }

  /** The finished files of one consumer. */
  async files(consumerId) {
    return (await this.#call("GET", `files?consumer_id=${consumerId}`)).filter((file) => file.consumer_id === consumerId);
  }

  settings(consumerId, change) {
    return this.#call("POST", "settings", { consumer_id: consumerId, ...change });
  }

  faults(consumerId, list) {
    return this.#call("POST", "faults", list.map((fault) => ({ consumer_id: consumerId, ...fault })));
  }

  /** Forgets everything, and removes the files. */
  reset() {
    return this.#call("POST", "reset");
  }

  async #call(method, route, body) {
    const response = await fetch(`${this.address}/_emulator/${route}`, {
      method,
      headers: { "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }
}

/** Makes a folder for files of random bytes; `remove` takes it away with all of them. */
export async function makeFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), "upload-session-e2e-"));
  return {
    /** Writes a file of so many MiB and a few bytes more; returns where it is, its size and its SHA-1 in hex. */
    async file(name, mib) {
      const file = path.join(folder, name);
      const hash = createHash("sha1");
      const handle = await open(file, "w");
      const size = mib * MIB + ODD_BYTES;
      for (let left = size; left > 0; ) {
        const chunk = randomFillSync(Buffer.allocUnsafe(Math.min(left, 8 * MIB)));
        hash.update(chunk);
        await handle.write(chunk);
        left -= chunk.length;
      }
      await handle.close();
      return { path: file, name, size, sha1: hash.digest("hex") };
    },
    async emptyFile(name) {
      await writeFile(path.join(folder, name), "");
      return { path: path.join(folder, name), name };
    },
    path: folder,
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Starts headless Chromium, 1280 x 1240; with more arguments where they are given. */
export function startChromium(...more) {
  const options = new chrome.Options();
  options.setChromeBinaryPath(process.env.CHROMIUM ?? "/usr/bin/chromium");
  options.addArguments(
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1240",
    ...more,
  );
  const service = new chrome.ServiceBuilder(process.env.CHROMEDRIVER ?? "/usr/bin/chromedriver");
  return new Builder().forBrowser("chrome").setChromeOptions(options).setChromeService(service).build();
}

/** Starts headless Firefox, 1280 x 1240; with more arguments for it, and for its driver, where they are given. */
export function startFirefox({ browserArguments = [], driverArguments = [] } = {}) {
  const options = new firefox.Options();
  options.setBinary(process.env.FIREFOX ?? "/usr/bin/firefox-esr");
  options.addArguments("-headless", "--width=1280", "--height=1240", ...browserArguments);
  const service = new firefox.ServiceBuilder(process.env.GECKODRIVER ?? "geckodriver").addArguments(...driverArguments);
  return new Builder().forBrowser("firefox").setFirefoxOptions(options).setFirefoxService(service).build();
}

/** Saves what the browser shows, where SCREENSHOTS names a folder. */
export async function screenshot(driver, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${name}.png`), await driver.takeScreenshot(), "base64");
}
