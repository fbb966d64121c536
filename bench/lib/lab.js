// What the groups measure with: files, emulators, the page. Everything that is started is ended by `close`.

import { rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { startEmulator } from "../../tests/e2e/harness.js";
import { buildPage } from "./bundle.js";
import { makeFolder } from "./files.js";
import { startPeers } from "./peers.js";

export const MIB = 1024 * 1024;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const PACKAGE = fileURLToPath(new URL("../../pkg", import.meta.url));

export async function openLab() {
  const folder = await makeFolder();
  const page = path.join(folder.path, "page");
  await buildPage(page);
  const ends = [folder.remove];
  // Neither gigabytes nor servers are left behind, however it ends: each of the ends kills before it waits.
  const interrupted = () => {
    ends.slice(1).forEach((end) => end());
    rmSync(folder.path, { recursive: true, force: true });
    process.exit(130);
  };
  SIGNALS.forEach((signal) => process.once(signal, interrupted));
  return {
    page,
    /** A file of random bytes. */
    async file(bytes) {
      console.log(`writing ${(bytes / MIB).toFixed(0)} MiB of random bytes`);
      return folder.file(`${bytes}.bin`, bytes);
    },
    /** Starts an emulator that drops what it gets, and serves the page, too; `settings` count for every upload. */
    async emulator(flags = [], settings = {}) {
      const emulator = await startEmulator(page, ["--discard", ...flags]);
      ends.push(emulator.stop);
      const reset = async () => {
        await emulator.reset();
        await emulator.settings(undefined, settings);
      };
      await reset();
      return { address: emulator.address, reset };
    },
    /** Starts the servers of the others. */
    async peers() {
      const peers = await startPeers({ page, pkg: PACKAGE, folder: path.join(folder.path, "uploads") });
      ends.push(peers.stop);
      return peers;
    },
    async close() {
      SIGNALS.forEach((signal) => process.off(signal, interrupted));
      for (const end of ends.reverse()) await end();
    },
  };
}
