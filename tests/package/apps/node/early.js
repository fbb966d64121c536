// Prints what comes of each call that is made before `init()`: the error's class, code and message.
import { sha1Digest, UploadError, UploadSession, UploadSessionsApi } from "upload-session";

const file = new Blob(["content"]);
const options = { serverUrl: "http://localhost", apiKey: "secret", appId: "app", consumerId: "c", parentFolderId: "root", name: "a" };
const calls = {
  UploadSession: () => new UploadSession(file, options),
  resume: () => UploadSession.resume(file, options),
  fromSnapshot: () => UploadSession.fromSnapshot(file, {}, options),
  UploadSessionsApi: () => new UploadSessionsApi(options),
  sha1Digest: () => sha1Digest(file),
};
for (const [name, call] of Object.entries(calls)) {
  try {
    await call();
    console.log(`${name}: nothing`);
  } catch (error) {
    console.log(`${name}: ${error instanceof UploadError} ${error.code} ${error.message}`);
  }
}
