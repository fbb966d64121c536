// Child processes that print where they listen.

import { readFile, readdir, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";

/** Resolves with the addresses that a child prints, one a line, once there are `count` of them. */
export async function addresses(child, pattern, count) {
  const found = [];
  const failed = new Promise((_, reject) => child.once("error", reject));
  const lines = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const match = pattern.exec(line);
      if (!match) throw new Error(`${child.spawnfile} printed: ${line}`);
      if (found.push(match[1]) === count) return found;
    }
    throw new Error(`${child.spawnfile} ended before it was ready`);
  })();
  return Promise.race([lines, failed]);
}

/** Ends a child, and resolves once it has ended. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** Returns the ids of the processes that this one has started and whose name is `name` (proc(5)). */
export async function children(name) {
  const ids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const stats = await Promise.all(ids.map((id) => readFile(`/proc/${id}/stat`, "utf8").catch(() => "")));
  const mine = stats.filter(
    (stat) => stat.includes(`(${name}) `) && stat.split(") ").at(-1).split(" ")[1] === String(process.pid),
  );
  return mine.map((stat) => Number.parseInt(stat, 10));
}

/** Runs `act`, and returns the bytes of a process' memory that are in RAM: before it, and at most while it ran (proc(5)). */
export async function memoryOf(pid, act) {
  // From here on the kernel keeps the highest anew.
  await writeFile(`/proc/${pid}/clear_refs`, "5");
  const before = await memory(pid, "VmRSS");
  await act();
  return { before, most: await memory(pid, "VmHWM") };
}

async function memory(pid, field) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)[1]);
}
