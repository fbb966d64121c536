// src/index.js, bundled with the module's JavaScript.
export { default, UploadError, UploadSession, UploadSessionsApi, sha1Digest } from "./dist/upload_session.js";
