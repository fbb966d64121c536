// The worker's script is one more entry point of the bundle.
import init, { UploadSession } from "upload-session/worker";
import wasm from "upload-session/upload_session.wasm";
import { run } from "./run.js";

const address = new URL(wasm, import.meta.url);
const worker = () => new Worker(new URL("thread.js", import.meta.url), { type: "module" });
run(init(address, { worker }), (file, options) => new UploadSession(file, options).start());
