// A dedicated worker of the app's own, which uses `upload-session` itself.
import init, { UploadSession } from "upload-session";

onmessage = async ({ data: { file, options } }) => {
  try {
    await init();
    // As in a page, a resume record is kept and `xhr` is there.
    const session = new UploadSession(file, { ...options, store: "indexeddb", transport: "xhr" });
    const warnings = [];
    session.on("warning", ({ code }) => warnings.push(code));
    postMessage({ file: await session.start(), warnings });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};
