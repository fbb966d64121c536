// What a browser's processes took, by proc(5).

import { readFile, writeFile } from "node:fs/promises";
import { browserProcesses } from "../../tests/e2e/processes.js";

/** Clock ticks a second, of the times in proc(5): 100 on every Linux that Node runs on. */
const TICKS = 100;

/** Seconds of CPU that the browser and all that it started have taken so far, those that ended included. */
export async function cpuSeconds(driver) {
  const stats = await Promise.all((await browserProcesses(driver)).map((id) => read(id, "stat")));
  return stats.reduce((sum, stat) => sum + ticks(stat), 0) / TICKS;
}

/** utime + stime of the process, and those of its children that it has waited for. */
export function ticks(stat) {
  if (stat === "") return 0;
  // The name, in parentheses, may have blanks and parentheses itself; the state, field 3, comes after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [14, 15, 16, 17].reduce((sum, field) => sum + Number(fields[field - 3]), 0);
}

/** The processes that run pages. */
export async function renderers(driver) {
  const ids = await browserProcesses(driver);
  const commands = await Promise.all(ids.map((id) => read(id, "cmdline")));
  return ids.filter((_, index) => /--type=renderer|-isForBrowser/.test(commands[index]));
}

/** Has the kernel keep the highest memory anew from here on. */
export async function resetPeaks(ids) {
  await Promise.all(ids.map((id) => writeFile(`/proc/${id}/clear_refs`, "5").catch(() => {})));
}

/** The resident memory of the largest of these processes, in bytes: "VmRSS" now, "VmHWM" at its highest. */
export async function largest(ids, field) {
  return Math.max(...(await memories(ids, field)));
}

/** The resident memory of all these processes, in bytes; of peaks the sum, though they need not be at one time. */
export async function total(ids, field) {
  return (await memories(ids, field)).reduce((sum, bytes) => sum + bytes, 0);
}

async function memories(ids, field) {
  const all = await Promise.all(ids.map((id) => read(id, "status")));
  return all.map((status) => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0));
}

/** A process that has ended meanwhile reads as nothing. */
function read(id, name) {
  return readFile(`/proc/${id}/${name}`, "utf8").catch(() => "");
}
