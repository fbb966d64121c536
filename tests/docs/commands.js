// The project's own commands in the documentation, and whether there are such.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./markdown.js";

/** What npm has without a script. */
const NPM = ["install", "ci", "run", "test", "start", "init", "create", "publish", "pack", "view"];

/** What `cargo xtask --help` tells: the commands, and all words, flags and suites among them. */
export function xtaskHelp() {
  const help = execFileSync("cargo", ["xtask", "--help"], { cwd: ROOT, encoding: "utf8" });
  const commands = [...help.matchAll(/^xtask (\w+)$/gm)].map(([, command]) => command);
  return { commands, words: help.match(/[\w-]+/g) };
}

/** The commands of a shell block, each with the folder it runs in: the file's own package, unless there is a `cd`. */
export function commandsOf({ file, language, text }) {
  const commands = [];
  let folder = packageOf(file);
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    // What a `console` block prints is no command.
    if (language === "console" && !line.startsWith("$ ")) continue;
    for (const command of line.replace(/^\$ /, "").replace(/\s#.*$/, "").split(/&&|;|\|/)) {
      const words = command.trim().split(/\s+/).filter((word) => !/^\w+=/.test(word));
      if (words[0] === "cd") folder = path.join(folder, words[1] ?? "");
      else if (words[0]) commands.push({ folder, words });
    }
  }
  return commands;
}

/** Returns why there is no such command; nothing where there is, or it is none of the project's. */
export function complaint({ folder, words }, help) {
  const [program, first, second, ...rest] = words.filter((word) => word !== "--silent");
  if (program === "cargo" && first === "xtask") {
    const unknown = rest.filter((word) => !isValue(word) && !help.words.includes(word));
    if (!help.commands.includes(second)) unknown.unshift(second);
    return unknown.length > 0 ? `cargo xtask knows no ${unknown.join(" ")}` : undefined;
  }
  if (program !== "npm") return undefined;
  if (!NPM.includes(first)) return `npm has no ${first}`;
  const script = first === "run" ? second : ["test", "start"].includes(first) ? first : undefined;
  if (!script) return undefined;
  const file = path.join(ROOT, folder, "package.json");
  if (!existsSync(file)) return `${folder} has no package.json`;
  const { scripts = {} } = JSON.parse(readFileSync(file, "utf8"));
  return script in scripts ? undefined : `${folder}/package.json has no script ${script}`;
}

/** What a flag takes, and what a reader fills in. */
const isValue = (word) => /^\d+$/.test(word) || /^[[…]/.test(word) || word.endsWith("]");

function packageOf(file) {
  const folder = path.dirname(file);
  return existsSync(path.join(ROOT, folder, "package.json")) ? folder : ".";
}
