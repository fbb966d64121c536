// Compiles code blocks in memory. Each stands on the lines that it has in its Markdown file, so that what the compiler
// says of a line is true there.

import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ROOT } from "./markdown.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const COMPILED = ["js", "ts", "html"];
const OPTIONS = {
  strict: true,
  // The parameters of plain JavaScript have no types.
  noImplicitAny: false,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
  typeRoots: [path.join(HERE, "node_modules/@types")],
};

/** Where the blocks run: what there is besides the language and the package. */
const PLACES = {
  page: { types: ["wicg-file-system-access"], files: ["page.d.ts"] },
  fragment: { types: ["wicg-file-system-access"], files: ["page.d.ts", "fragment.d.ts"] },
  node: { types: ["node"], files: [] },
};

/** Tells how a block is to be compiled: where it runs, or why it is not compiled at all. */
export function kindOf({ language, words }) {
  if (!COMPILED.includes(language)) return { skipped: `${language || "plain text"} is not compiled` };
  const known = words.filter((word) => word === "fragment" || word === "node" || word.startsWith("file="));
  if (known.length !== words.length) throw new Error(`unknown mark: ${words.join(" ")}`);
  return { place: words.find((word) => word in PLACES) ?? "page" };
}

/** Compiles blocks; returns for each what the compiler complains of, as `file:line: message`. */
export function compile(blocks) {
  const complaints = new Map(blocks.map((block) => [block, []]));
  for (const place of Object.keys(PLACES)) {
    const here = blocks.filter((block) => kindOf(block).place === place);
    if (here.length > 0) compileIn(place, here, complaints);
  }
  return complaints;
}

function compileIn(place, blocks, complaints) {
  const { types, files } = PLACES[place];
  const options = { ...OPTIONS, types };
  const sources = new Map(blocks.map((block) => [fileName(block), block]));
  const host = ts.createCompilerHost(options, true);
  const { readFile, fileExists } = host;
  host.fileExists = (name) => sources.has(name) || fileExists(name);
  host.readFile = (name) => (sources.has(name) ? script(sources.get(name)) : readFile(name));
  host.getCurrentDirectory = () => HERE;
  // Packages are those of this folder, wherever a block stands.
  host.resolveModuleNameLiterals = (names, importer, _, options) =>
    names.map(({ text }) => {
      const from = text.startsWith(".") || !sources.has(importer) ? importer : path.join(HERE, "example.js");
      return ts.resolveModuleName(text, from, options, host);
    });
  const roots = [...sources.keys(), ...files.map((name) => path.join(HERE, name))];
  const program = ts.createProgram(roots, options, host);
  const general = program.getGlobalDiagnostics().concat(program.getOptionsDiagnostics());
  if (general.length > 0) throw new Error(ts.formatDiagnostics(general, host));
  for (const [name, block] of sources) {
    const source = program.getSourceFile(name);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    for (const { start, messageText } of found) {
      const { line } = source.getLineAndCharacterOfPosition(start ?? 0);
      complaints.get(block).push(`${block.file}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    }
  }
}

/** A file of its own, in the folder of the Markdown file or where the block says that it belongs. */
function fileName({ file, line, language, words }) {
  const own = words.find((word) => word.startsWith("file="))?.slice("file=".length);
  return path.join(ROOT, own ?? `${file}.${line}.${language === "ts" ? "ts" : "js"}`);
}

/** The block's script on the lines that it has in the Markdown file; of HTML, its modules. */
function script({ language, text, line }) {
  const code = language === "html" ? modules(text) : text;
  return "\n".repeat(line - 1) + code;
}

/** Blanks everything of an HTML text but the content of its inline modules. */
function modules(html) {
  const open = /<script type="module">/g;
  let code = "";
  let at = 0;
  for (const match of html.matchAll(open)) {
    const start = match.index + match[0].length;
    const end = html.indexOf("</script>", start);
    code += blank(html.slice(at, start)) + html.slice(start, end);
    at = end;
  }
  return code + blank(html.slice(at));
}

const blank = (text) => text.replace(/[^\n]/g, " ");
