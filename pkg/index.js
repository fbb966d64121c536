import init, { UploadSession as Session } from "./dist/upload_session.js";

export { UploadError, UploadSessionsApi, sha1Digest } from "./dist/upload_session.js";
export default init;

// Sessions that were started and have not ended. Without this a session that a page keeps only the promise of
// could be collected as garbage, and its upload be cancelled with it.
const running = new Set();

export class UploadSession extends Session {
  start() {
    const promise = super.start();
    running.add(this);
    const release = () => running.delete(this);
    promise.then(release, release);
    return promise;
  }
}
