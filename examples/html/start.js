// Serves the page and the package from the emulator, so that all of it has one origin.

import { fileURLToPath } from "node:url";
import { preparePackage, startEmulator } from "../emulator.mjs";

const page = fileURLToPath(new URL("page", import.meta.url));
const upload = preparePackage(import.meta.resolve("upload-session"));
const port = process.env.PORT ?? 8787;
const address = await startEmulator(`--port=${port}`, `--mount=/=${page}`, `--mount=/upload-session=${upload}`);
console.log(`Open ${address} (Ctrl-C ends it, and removes the files that were uploaded)`);
