// Measures upload-session beside its peers, and writes the tables into RESULTS.md: see `cargo xtask bench --help`, which
// builds what is needed and starts this.
//
//   UPLOAD_EMULATOR_BIN=… node bench/run.js [group …] [--rounds N] [--size-mib N] [--only NAME,…] [--browser NAME] [--print]

import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import * as distant from "./groups/distant.js";
import * as events from "./groups/events.js";
import * as hashing from "./groups/hashing.js";
import * as memory from "./groups/memory.js";
import * as paced from "./groups/paced.js";
import * as parts from "./groups/parts.js";
import * as size from "./groups/size.js";
import * as tasks from "./groups/tasks.js";
import * as unpaced from "./groups/unpaced.js";
import { CONTESTANTS } from "./lib/contestants.js";
import { openLab } from "./lib/lab.js";
import { provenance } from "./lib/machine.js";
import { BROWSERS } from "./lib/measure.js";
import { replaceSection } from "./lib/table.js";

/** In the order of RESULTS.md. */
const GROUPS = [unpaced, paced, distant, memory, tasks, parts, events, hashing, size];
const RESULTS = new URL("RESULTS.md", import.meta.url);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    "size-mib": { type: "string" },
    only: { type: "string" },
    browser: { type: "string" },
    print: { type: "boolean" },
  },
});
const number = (text) => {
  if (text !== undefined && !(Number(text) >= 1)) throw new Error(`${text} is no number of at least 1`);
  return text === undefined ? undefined : Number(text);
};
const names = (given, known, what) => {
  const stranger = given?.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new Error(`no ${what} is called ${stranger}; there are ${known.join(", ")}`);
  return given;
};
names(positionals, GROUPS.map((group) => group.name), "group");
const options = {
  rounds: number(values.rounds),
  sizeMib: number(values["size-mib"]),
  only: names(values.only?.split(","), Object.keys(CONTESTANTS), "contestant"),
  browsers: names(values.browser?.split(","), Object.keys(BROWSERS), "browser"),
  /** A part of a table is none. */
  writes: !values.print && !values.only && !values.browser,
};
const flags = Object.entries(values).map(([name, value]) => (value === true ? `--${name}` : `--${name} ${value}`));

for (const group of GROUPS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  console.log(`==> ${group.name}`);
  const source = provenance(["cargo xtask bench", group.name, ...flags].join(" "));
  const lab = await openLab();
  let text;
  try {
    text = `### ${group.title}\n\n${await group.run(lab, options)}\n\n${source}`;
  } finally {
    await lab.close();
  }
  console.log(`\n${text}\n`);
  if (options.writes) await writeFile(RESULTS, replaceSection(await readFile(RESULTS, "utf8"), group.name, text));
}
