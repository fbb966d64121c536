// Prints what comes of calls before `init()`, and after `free()`: the error's class, code and message.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import init, { sha1Digest, UploadError, UploadSession, UploadSessionsApi } from "upload-session";

const file = new Blob(["content"]);
const options = { serverUrl: "http://localhost", apiKey: "secret", appId: "app", consumerId: "consumer" };
const uploadOptions = { ...options, parentFolderId: "root", name: "a" };

const told = (error) => `${error instanceof UploadError} ${error.code} ${error.message}`;
async function tell(name, call) {
  try {
    console.log(`${name}: rejects ${await call().then(() => "nothing", told)}`);
  } catch (error) {
    console.log(`${name}: throws ${told(error)}`);
  }
}

await tell("UploadSession", () => new UploadSession(file, uploadOptions));
await tell("resume", () => UploadSession.resume(file, uploadOptions));
await tell("fromSnapshot", () => UploadSession.fromSnapshot(file, {}, uploadOptions));
await tell("UploadSessionsApi", () => new UploadSessionsApi(options));
await tell("sha1Digest", () => sha1Digest(file));

await init(await readFile(fileURLToPath(import.meta.resolve("upload-session/upload_session.wasm"))));
const api = new UploadSessionsApi(options);
api.free();
await tell("get", () => api.get({ id: "session" }));
const session = new UploadSession(file, uploadOptions);
session.free();
await null;
await tell("progress", () => session.progress);
await tell("pause", () => session.pause());
