import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { cpuSeconds, largest, resetPeaks, ticks } from "../lib/processes.js";

test("CPU time is a process's own and that of the children it waited for, whatever its name", () => {
  const stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 12345 1 1";
  assert.equal(ticks(stat), 11 + 22 + 33 + 44);
});

test("a process that has ended meanwhile took nothing", () => {
  assert.equal(ticks(""), 0);
});

/** A shell as a driver's browser: it runs a program to its end, says so, and stays until its input ends. */
async function browserThatRan(program) {
  const shell = spawn("sh", ["-c", '"$0" --eval "$1"; echo done; read line', process.execPath, program], { stdio: ["pipe", "pipe", "inherit"] });
  await once(shell.stdout, "data");
  const end = async () => {
    shell.stdin.end();
    await once(shell, "exit");
  };
  return { driver: { getCapabilities: async () => new Map([["goog:processID", shell.pid]]) }, id: shell.pid, end };
}

test("what a child took that has ended is counted", async () => {
  const { driver, end } = await browserThatRan("while (process.cpuUsage().user < 300_000);");
  assert.ok((await cpuSeconds(driver)) >= 0.3);
  await end();
});

test("the peak is the kernel's", async () => {
  const program = `Buffer.alloc(200 * 2 ** 20, 1); console.log("done"); process.stdin.resume()`;
  const child = spawn(process.execPath, ["--eval", program], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  assert.ok((await largest([child.pid, process.pid], "VmHWM")) > 200 * 2 ** 20);
  await resetPeaks([child.pid]);
  const [peak, now] = [await largest([child.pid], "VmHWM"), await largest([child.pid], "VmRSS")];
  assert.ok(peak >= now);
  child.stdin.end();
  await once(child, "exit");
});
