// Makes what wasm-pack built for the page small: `node slim.mjs <folder> <name> <named>`, with wasm-opt on PATH. The optimised
// module with the names of its functions goes to <named>, for who wants to know what it is made of.
//
// The module is optimised. Names of its imports and exports stand in its JavaScript as well, hashes and all, and compress
// badly: they become letters in both. Then the JavaScript is bundled with its snippets, and minified; so is that of
// `upload-session/worker`, which is put beside it.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// The package's classes, which import the module's JavaScript.
const ENTRY = new URL("../../src/index.js", import.meta.url);
// What they run through in a worker: the page's side, and the worker's script.
const WORKER = new URL("../../src/worker/", import.meta.url);
// Features that rustc enables by default; wasm-opt refuses a module that uses others than it was told.
const FEATURES = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];
const ENABLE = FEATURES.map((feature) => `--enable-${feature}`);
const OPTIMISE = [
  ...Array(2).fill(["-Oz", "--flatten", "--rereloop"]).flat(),
  "-Oz",
  "-Oz",
  // All compress better: a function of some size that is called once stays one, what is hardly longer than a call does not, and
  // those of one kind stand side by side.
  "--one-caller-inline-max-function-size=40",
  "--always-inline-max-function-size=6",
  "--reorder-functions-by-name",
  // Rust keeps nothing in the first kilobyte.
  "--low-memory-unused",
  "--debuginfo",
];
const STRIP = ["--strip-debug", "--strip-producers", "--strip-target-features", "--minify-imports-and-exports-and-modules"];

const [folder, name, named] = process.argv.slice(2);
const wasm = join(folder, `${name}_bg.wasm`);
const glue = join(folder, `${name}.js`);

const run = (from, to, flags) => execFileSync("wasm-opt", [from, "-o", to, ...ENABLE, ...flags], { encoding: "utf8" });
// Cargo may put its own files elsewhere.
mkdirSync(dirname(named), { recursive: true });
run(wasm, named, OPTIMISE);
const names = JSON.parse(run(named, wasm, STRIP));

// A panic traps without a word: what core and alloc would say, and the paths of source files, those of the machine that built it
// among them, are never read.
const PATH = /(?:\/rustc\/[0-9a-f]{40}\/|\/[\w./-]+\/registry\/src\/|crates\/engine\/src\/|src\/)[\w./-]+?\.rs/g;
const PANICS = [
  "attempt to divide by zero", "attempt to join into collection with len > usize::MAX", "capacity overflow", "mid > len",
  "RefCell already borrowed", "RefCell already mutably borrowed", "Tried to shrink to a larger capacity",
  "window size must be non-zero", "memory allocation of ", " bytes failed", "index out of bounds: the len is ",
  " but the index is ", "slice index starts at ", " but ends at ", "range start index ", "range end index ",
  " out of range for slice of length ", "insertion index (is ", ") should be <= len (is ", "removal index (is ",
  ") should be < len (is ", "copy_from_slice: source slice length (", ") does not match destination slice length (",
];
const blank = (text) => "\0".repeat(text.length);
const unspoken = PANICS.reduce((bytes, text) => bytes.replaceAll(text, blank), readFileSync(wasm, "latin1"));
const bytes = unspoken.replace(PATH, blank);
if (/\.cargo|\/rustc\/|\/home\/|\/root\//.test(bytes)) throw new Error(`${wasm} holds a path of this machine`);
writeFileSync(wasm, bytes, "latin1");

let script = readFileSync(glue, "utf8");

// Puts something in place of what is to stand there exactly so often: a module whose names do not fit its JavaScript would
// only fail in a browser.
function replace(pattern, replacement, times) {
  const found = script.match(pattern)?.length ?? 0;
  if (found !== times) throw new Error(`${pattern} is in ${glue} ${found} times, and not ${times}`);
  script = script.replace(pattern, replacement);
}

// Functions that the module takes from snippets as they are, without glue, come with the others.
const isDirect = ([module]) => module !== `./${name}_bg.js`;
const direct = names.imports.filter(isDirect);
const modules = [...new Set(direct.map(([module]) => module))];
const members = direct.map(([module, from, to]) => `${to}: snippet${modules.indexOf(module)}.${from}`);
for (const [, from, to] of names.imports.filter((entry) => !isDirect(entry))) {
  replace(new RegExp(`^ {8}${from}:`, "gm"), () => `        ${to}:`, 1);
}
replace(/^import \* as import\d+ from .*\n/gm, "", direct.length);
const returned = /^ {4}return \{\n {8}__proto__: null,\n(?: {8}"\.\/[^"]*": import\d+,\n)+ {4}\};\n/gm;
replace(returned, () => `    return { a: { ${["...import0", ...members].join(", ")} } };\n`, 1);

// The page may look at the memory, by its name, and hand the module on, and see nothing else.
replace(/return wasm;$/gm, "return { memory: wasm.memory, module: wasmModule };", 3);
// Before it is there, everything throws the package's own error.
replace(/^let wasmModule, wasmInstance, wasm;$/gm, "let wasmModule, wasmInstance, wasm = new Proxy({}, { get() { throw notLoaded(); } });", 1);
replace(/\bwasm !== undefined\b/g, "wasmModule !== undefined", 2);
replace(/throw new Error\(getStringFromWasm0\(arg0, arg1\)\)/g, "throw misused(getStringFromWasm0(arg0, arg1))", 1);
const [values] = script.match(/\.\/snippets\/[^']+\/values\.js/) ?? [];
const exported = new Map(names.exports);
script = script.replace(/\bwasm\.(\w+)/g, (_, from) => {
  if (!exported.has(from)) throw new Error(`${glue} takes ${from} of the module, which has none`);
  return `wasm.${exported.get(from)}`;
});
// Every browser that runs the module has it.
replace(/^if \(!\('encodeInto' in cachedTextEncoder\)\) \{\n[^]*?^\}\n/gm, "", 1);
replace(/\(typeof FinalizationRegistry === 'undefined'\)\n    \? \{ register: \(\) => \{\}, unregister: \(\) => \{\} \}\n    : /g, "", 3);
// The page's classes let go of a session by their own `free`, which this would pass by.
replace(/^if \(Symbol\.dispose\) .*\n/gm, "", 2);
// The module always gives memory of its own to strings.
replace(/^    if \(realloc === undefined\) \{\n[^]*?^    \}\n/gm, "", 1);
const imports = modules.map((module, index) => `import * as snippet${index} from ${JSON.stringify(module)};\n`);
imports.push(`import { misused, notLoaded } from ${JSON.stringify(values)};\n`);
writeFileSync(glue, imports.join("") + script);

const common = { bundle: true, format: "esm", target: "es2022", minify: true, legalComments: "none" };
await build({
  ...common,
  stdin: { contents: readFileSync(ENTRY, "utf8"), resolveDir: folder },
  outfile: glue,
  allowOverwrite: true,
  // What wasm-bindgen has to say of loaders that it works around.
  pure: ["console.warn"],
});
rmSync(join(folder, "snippets"), { recursive: true });

const beside = { path: `./${name}.js`, external: true };
await build({
  ...common,
  entryPoints: { worker: fileURLToPath(new URL("page.js", WORKER)), thread: fileURLToPath(new URL("thread.js", WORKER)) },
  outdir: folder,
  // What both have is a file of its own.
  splitting: true,
  chunkNames: "port",
  plugins: [{ name: "beside", setup: ({ onResolve }) => onResolve({ filter: new RegExp(`/${name}\\.js$`) }, () => beside) }],
});
