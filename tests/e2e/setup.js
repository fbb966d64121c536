// What every test file shares: one emulator and one browser, started before and ended after its tests.

import { after, before } from "node:test";
import { makeFolder, startEmulator } from "./harness.js";
import { DemoPage } from "./page.js";

/** Registers start and end, and a file for all tests; the object it returns is filled before the first test. */
export function useBrowser(startDriver, { name, mib }) {
  const shared = { open: (query, consumerId) => DemoPage.open(shared.driver, shared.emulator, query, consumerId) };
  const started = [];
  before(async () => {
    shared.folder = await makeFolder();
    started.push(shared.folder.remove);
    shared.file = await shared.folder.file(name, mib);
    shared.emulator = await startEmulator();
    started.push(shared.emulator.stop);
    shared.driver = await startDriver();
    started.push(() => shared.driver.quit());
  });
  after(async () => {
    for (const end of started.reverse()) await end();
  });
  return shared;
}
