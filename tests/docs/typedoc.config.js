// The API reference: every entry point of the package that exports something to call.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGE = new URL("../../pkg/", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8"));
/** What a bundler or a runtime is told the place of; it exports nothing. */
const isFile = (name) => name.endsWith(".wasm") || name === "./worker/thread";
const types = Object.entries(exports).filter(([name]) => !isFile(name)).map(([, entry]) => entry.types);

/** @type {import("typedoc").TypeDocOptions} */
export default {
  name: "upload-session",
  entryPoints: types.map((file) => fileURLToPath(new URL(file, PACKAGE))),
  tsconfig: "tsconfig.json",
  out: "../../docs/api",
  readme: "none",
  githubPages: false,
  disableSources: true,
  disableGit: true,
  sort: ["source-order"],
  // Its two forms stand in the text of what uses it.
  intentionallyNotExported: ["FromEnv"],
  validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: true },
  treatWarningsAsErrors: true,
};
