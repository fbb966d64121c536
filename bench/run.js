// Measures upload-session beside its peers, and writes the tables into RESULTS.md: see `cargo xtask bench --help`, which
// builds what is needed and starts this.
//
//   UPLOAD_EMULATOR_BIN=… node bench/run.js [group …] [--rounds N] [--size-mib N] [--only NAME,…] [--browser NAME] [--print]

import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import * as unpaced from "./groups/unpaced.js";
import { openLab } from "./lib/lab.js";
import { replaceSection } from "./lib/table.js";

const GROUPS = [unpaced];
const RESULTS = new URL("RESULTS.md", import.meta.url);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    "size-mib": { type: "string" },
    only: { type: "string" },
    browser: { type: "string" },
    print: { type: "boolean", default: false },
  },
});
const number = (text) => (text === undefined ? undefined : Number(text));
const options = {
  rounds: number(values.rounds),
  sizeMib: number(values["size-mib"]),
  only: values.only?.split(","),
  browsers: values.browser?.split(","),
};
/** A part of a table is none. */
const writes = !values.print && !options.only && !options.browsers;
const chosen = GROUPS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const lab = await openLab();
try {
  for (const group of chosen) {
    console.log(`==> ${group.name}`);
    const text = await group.run(lab, options);
    console.log(`\n${text}\n`);
    if (writes) await writeFile(RESULTS, replaceSection(await readFile(RESULTS, "utf8"), group.name, text));
  }
} finally {
  await lab.close();
}
