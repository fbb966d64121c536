import init, { UploadSession } from "upload-session";
import { run } from "./run.js";

run(init(), (file, options) => new UploadSession(file, options).start());
