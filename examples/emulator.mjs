// What both examples start: the emulator of the API, on this machine alone. It takes any key, and needs no account.

import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Takes the address of an example's `upload-session`; returns its folder. Builds it first, where it is this checkout's. */
export function preparePackage(address) {
  const folder = path.dirname(fileURLToPath(address));
  if (!existsSync(path.join(folder, "dist"))) {
    console.log("Building the package, this once (cargo xtask build) …");
    execFileSync("cargo", ["xtask", "build"], { cwd: ROOT, stdio: "inherit" });
  }
  return folder;
}

/** Starts the emulator with some of its flags; resolves to its address. It ends with this program. */
export function startEmulator(...flags) {
  // A program that was built before can be named; cargo builds it where it has to.
  const { UPLOAD_EMULATOR_BIN: program } = process.env;
  const [command, ...words] = program ? [program] : ["cargo", "run", "--profile=native", "--package=upload-emulator", "--"];
  const emulator = spawn(command, [...words, "--quiet", ...flags], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const end = () => emulator.kill();
  process.on("exit", end);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit());
  return new Promise((resolve, reject) => {
    emulator.on("error", reject);
    emulator.on("exit", (code) => reject(new Error(`the emulator ended (${code})`)));
    createInterface({ input: emulator.stdout }).on("line", (line) => {
      const [address] = /http:\/\/\S+/.exec(line) ?? [];
      if (address) resolve(address);
    });
  });
}
