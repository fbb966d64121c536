// Programs that use every name of the package compile against what was installed, however TypeScript resolves modules.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { PACKED } from "./install.js";

const run = promisify(execFile);
const TYPES = new URL("../types/", import.meta.url);
const FOLDER = path.join(PACKED, "types");
const OPTIONS = { strict: true, noEmit: true, target: "es2022", lib: ["es2022", "dom"], types: [], skipLibCheck: false };
const RESOLUTIONS = { bundler: { module: "esnext" }, nodenext: { module: "nodenext" } };

const WASM = `import module from "upload-session/edge.wasm";
import address from "upload-session/upload_session.wasm";
const compiled: WebAssembly.Module = module;
export const resolved: URL = new URL(address, "https://app.example");
export { compiled };
`;

for (const [moduleResolution, more] of Object.entries(RESOLUTIONS)) {
  test(`every entry has its types with moduleResolution ${moduleResolution}`, async () => {
    await mkdir(FOLDER, { recursive: true });
    const program = await readFile(new URL("program.ts", TYPES), "utf8");
    const files = {
      "main.ts": program,
      // It has all that the other has.
      "worker.ts": program.replaceAll('from "upload-session"', 'from "upload-session/worker"'),
      "worker-own.ts": await readFile(new URL("worker.ts", TYPES), "utf8"),
      "edge.ts": await readFile(new URL("edge.ts", TYPES), "utf8"),
      "wasm.ts": WASM,
    };
    assert.notEqual(files["worker.ts"], program);
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(path.join(FOLDER, name), text)));
    const project = path.join(FOLDER, `tsconfig.${moduleResolution}.json`);
    await writeFile(project, JSON.stringify({ compilerOptions: { ...OPTIONS, ...more, moduleResolution }, files: Object.keys(files) }));
    const tsc = path.join(import.meta.dirname, "node_modules/.bin/tsc");
    await run(tsc, ["--project", project]).catch(({ message, stdout }) => assert.fail(`${message}\n${stdout}`));
  });
}
