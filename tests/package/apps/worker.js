import init, { UploadSession } from "upload-session/worker";
import { run } from "./run.js";

run(init(), (file, options) => new UploadSession(file, { ...options, apiKey: async () => "key" }).start());
