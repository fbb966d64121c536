// What a code block marked `fragment` may use without declaring it: the names that the text around it has explained.
import type * as Package from "upload-session";

declare global {
  const init: typeof Package.default;
  const UploadError: typeof Package.UploadError;
  const UploadSession: typeof Package.UploadSession;
  type UploadError = Package.UploadError;
  type UploadSession = Package.UploadSession;
  /** What the user picked. */
  const file: File;
  /** Where the file goes. */
  const options: Package.UploadOptions;
  /** Its upload. */
  const session: UploadSession;
}
