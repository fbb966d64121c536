// Loads the module, three times, without the global that is named; prints how many sessions were made and let go of meanwhile.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import init, { UploadSession } from "upload-session";

const wasm = await readFile(fileURLToPath(import.meta.resolve("upload-session/upload_session.wasm")));
const [missing] = process.argv.slice(2);
const found = globalThis[missing];
if (found) delete globalThis[missing];

// What is freed is taken off a registry, each time as often.
let taken = 0;
const { unregister } = FinalizationRegistry.prototype;
FinalizationRegistry.prototype.unregister = function (token) {
  taken += 1;
  return unregister.call(this, token);
};
await Promise.all([init(wasm), init(wasm)]);
await init(wasm);
const meanwhile = taken;

// As often as for one session.
taken = 0;
if (found) globalThis[missing] = found;
new UploadSession(new Blob(), { name: "a", parentFolderId: "root" }).free();
await null;
console.log(meanwhile / taken);
