// Starts Vite's development server. What the page asks of the API goes to UPLOAD_SERVER, an upload edge, or else to the
// emulator, which this starts as well: either way the page knows its own origin alone.

import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { preparePackage, startEmulator } from "../emulator.mjs";

preparePackage(import.meta.resolve("upload-session"));
const upstream = process.env.UPLOAD_SERVER ?? (await startEmulator("--port=0"));
const server = await createServer({
  root: fileURLToPath(new URL(".", import.meta.url)),
  server: {
    port: Number(process.env.PORT ?? 5173),
    host: "127.0.0.1",
    proxy: { "/file-storage": { target: upstream, changeOrigin: true } },
    // The package lies outside of this folder, in the checkout.
    fs: { allow: [fileURLToPath(new URL("../..", import.meta.url))] },
  },
});
await server.listen();
console.log(`Files go to ${upstream}`);
console.log(`Open http://127.0.0.1:${server.httpServer.address().port}`);
