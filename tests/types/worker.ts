// `upload-session/worker` has what `upload-session` has, and says where its worker comes from. It has to compile.
import * as main from "upload-session";
import init, * as worker from "upload-session/worker";
import { type Progress, type UploadOptions, UploadSession, type WorkerOptions } from "upload-session/worker";

// The very same names, with the very same types.
const same: Omit<typeof main, "default"> = worker;
const other: Omit<typeof worker, "default"> = main;

const options: WorkerOptions = { worker: () => new Worker("thread.js", { type: "module" }) };

async function upload(file: File, uploadOptions: UploadOptions, module: WebAssembly.Module): Promise<main.UnifiedFile> {
  await init();
  await init("/upload_session.wasm", options);
  await init(module, { worker: undefined });
  const session: main.UploadSession = new UploadSession(file, uploadOptions);
  session.on("progress", ({ confirmed, total }: Progress) => void (confirmed / total));
  const found: UploadSession | undefined = await UploadSession.resume(file, uploadOptions);
  return (found ?? session).start();
}

const code: main.UploadErrorCode = "worker";

// @ts-expect-error a worker is made by a function, when it is needed
const started: WorkerOptions = { worker: new Worker("thread.js") };

export { code, other, same, started, upload };
