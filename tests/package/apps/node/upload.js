// Uploads a Blob from Node to the server named first, as the consumer named second; prints the file's id.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import init, { sha1Digest, UploadSession } from "upload-session";

await init(await readFile(fileURLToPath(import.meta.resolve("upload-session/upload_session.wasm"))));
const [serverUrl, consumerId, path] = process.argv.slice(2);
const blob = new Blob([await readFile(path)]);
const options = { serverUrl, apiKey: "key", appId: "app", consumerId, serviceId: "dropbox", parentFolderId: "root" };
const session = new UploadSession(blob, { ...options, name: "blob.bin", direct: "never" });
const { id } = await session.start();
console.log(JSON.stringify({ id, digest: await sha1Digest(blob) }));
