// Where it was measured, and with what.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";

const MANIFEST = new URL("../package.json", import.meta.url);
/** Those that take part; the others are tools. */
const PEERS = ["hash-wasm", "@apideck/unify", "tus-js-client", "@tus/server", "@uppy/core", "@uppy/xhr-upload"];

/** One paragraph: command, day, machine, versions. */
export function provenance(command) {
  const system = /^PRETTY_NAME="(.+)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? os.type();
  const cpus = os.cpus();
  const machine = `${cpus.length} × ${cpus[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${system}`;
  const versions = [
    version(process.env.CHROMIUM ?? "/usr/bin/chromium"),
    version(process.env.FIREFOX ?? "/usr/bin/firefox-esr"),
    `Node ${process.versions.node}`,
    version("rustc"),
  ];
  const { devDependencies } = JSON.parse(readFileSync(MANIFEST, "utf8"));
  const peers = PEERS.map((name) => `${name} ${devDependencies[name]}`);
  const day = new Date().toISOString().slice(0, 10);
  return `\`${command}\`, ${day}; load average before ${os.loadavg()[0].toFixed(1)}. ${machine}; ${[...versions, ...peers].join(", ")}.`;
}

/** The first words of what a program says of its version: its name and the numbers. */
function version(program) {
  const said = execFileSync(program, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return /^.*?\d[\d.]*/.exec(said)[0].trim();
}
