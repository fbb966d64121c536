// What a page has to load for each contestant.

import { readFile } from "node:fs/promises";
import { brotliCompressSync, constants } from "node:zlib";
import { CONTESTANTS, pageOf } from "../lib/contestants.js";
import { MIB } from "../lib/lab.js";
import { measure } from "../lib/measure.js";
import { choose } from "../lib/rounds.js";
import { figure, table } from "../lib/table.js";

export const name = "size";
export const title = "Code that a page loads";

const NAMES = ["limit", "ours", "ours-worker", "javascript-buffer", "apideck", "tus", "uppy"];
/** Scripts of the measurement itself. */
const HARNESS = /\/(main|worker)\.js$/;
/** What is loaded on the way is loaded, too: an upload of this size is waited for. */
const FILE_BYTES = 24 * MIB;

export async function run(lab, { only, browsers: [browser] = ["chromium"] }) {
  const names = choose(NAMES, only);
  const file = await lab.file(FILE_BYTES);
  const [emulator, peers] = [await lab.emulator(), await lab.peers()];
  const rows = [];
  for (const of of names) {
    peers.served.length = 0;
    // All pages come from the server that says what it served; the API is then another origin's.
    const server = CONTESTANTS[of].at === "peers" ? {} : { server: emulator.address };
    await measure(browser, pageOf({ emulator: peers, peers }, of, server), file);
    const files = [...new Set(peers.served)].filter((path) => /\.(js|wasm)$/.test(path) && !isHarness(path, lab.page));
    const sizes = await Promise.all(files.map(sizesOf));
    const sum = (field) => sizes.reduce((total, size) => total + size[field], 0);
    rows.push([CONTESTANTS[of].label, figure(files.length), figure(sum("raw")), figure(sum("brotli"))]);
    console.log(`${of}: ${files.length} files, ${sum("brotli")} bytes`);
  }
  return [
    "Scripts and modules that the page loaded, its workers' included, in bytes; brotli at its best. Ours as the package ships it, the others " +
      "bundled and minified by esbuild, each with the few lines that call it.",
    table(["", "files", "raw", "brotli"], rows),
  ].join("\n\n");
}

const isHarness = (path, page) => path.startsWith(page) && HARNESS.test(path);

async function sizesOf(path) {
  const bytes = await readFile(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return { raw: bytes.length, brotli: brotliCompressSync(bytes, { params }).length };
}
