// Loads the module where nothing is left of what a session takes.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import init from "upload-session";

const wasm = await readFile(fileURLToPath(import.meta.resolve("upload-session/upload_session.wasm")));
delete globalThis.Blob;
await init(wasm);
console.log("loaded");
