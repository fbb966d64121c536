// A browser's own processes, by their ids alone.

import { readFile, readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Returns the ids of a driver's browser and of all that it started, the browser's own first. */
export async function browserProcesses(driver) {
  const capabilities = await driver.getCapabilities();
  const browser = capabilities.get("goog:processID") ?? capabilities.get("moz:processID");
  if (!Number.isInteger(browser)) throw new Error("the driver does not name its browser's process");
  const parents = await parentsOfAll();
  const family = [browser];
  for (const parent of family) family.push(...[...parents].filter(([, its]) => its === parent).map(([id]) => id));
  return family;
}

/** Kills processes at once (SIGKILL), and waits until they are gone. */
export async function kill(ids) {
  for (const id of ids) {
    try {
      process.kill(id, "SIGKILL");
    } catch (error) {
      // The children of a browser go with it.
      if (error.code !== "ESRCH") throw error;
    }
  }
  while (await someLive(ids)) await sleep(10);
}

/** Whether any is there still; what has ended and waits for its parent to notice (Z) is gone. */
async function someLive(ids) {
  const states = await Promise.all(ids.map(async (id) => (await stat(id))?.state ?? "X"));
  return states.some((state) => !"ZX".includes(state));
}

async function parentsOfAll() {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(ids.map(async (id) => [id, (await stat(id))?.parent]));
  return new Map(stats);
}

/** Reads proc(5) stat; undefined where there is no such process. */
async function stat(id) {
  try {
    const text = await readFile(`/proc/${id}/stat`, "utf8");
    // The name, in parentheses, may have blanks and parentheses itself.
    const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
