// Packs the package as `npm publish` would, and installs the tarball into a folder of its own, with the programs of
// `apps/` and the examples beside it: nothing there can reach the checkout's own files.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = path.join(HERE, "../..");

/** Where the tarball is installed. */
export const PACKED = path.join(HERE, ".packed");
/** The package as npm installed it. */
export const INSTALLED = path.join(PACKED, "node_modules/upload-session");

const npm = (...words) => execFileSync("npm", words, { cwd: PACKED, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** What `npm pack` told of the tarball: its name, its files. */
export const tarball = () => JSON.parse(readFileSync(path.join(PACKED, "tarball.json"), "utf8"));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(PACKED, { recursive: true, force: true });
  mkdirSync(PACKED);
  writeFileSync(path.join(PACKED, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const [packed] = JSON.parse(npm("pack", path.join(ROOT, "pkg"), "--json"));
  writeFileSync(path.join(PACKED, "tarball.json"), JSON.stringify(packed));
  npm("install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", `./${packed.filename}`);
  cpSync(path.join(HERE, "apps"), path.join(PACKED, "apps"), { recursive: true });
  // Without what their own `npm install` brought: what they import is the tarball's.
  const filter = (file) => !["node_modules", "dist"].includes(path.basename(file));
  cpSync(path.join(ROOT, "examples"), path.join(PACKED, "examples"), { recursive: true, filter });
}
