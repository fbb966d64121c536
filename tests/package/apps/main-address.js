// Where the bundler does not follow `new URL(…, import.meta.url)`, but copies what is imported.
import init, { UploadSession } from "upload-session";
import wasm from "upload-session/upload_session.wasm";
import { run } from "./run.js";

const address = new URL(wasm, import.meta.url);
run(init(address), (file, options) => new UploadSession(file, options).start());
