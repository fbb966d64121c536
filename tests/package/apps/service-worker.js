// A service worker that uploads what pages hand to it; it outlives them.
import init, { UploadSession } from "upload-session";

const ADDRESS = new URL(location).searchParams.get("wasm") ?? undefined;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", (event) => {
  const { file, options } = event.data;
  const answer = event.ports[0];
  const uploading = init(ADDRESS).then(() => new UploadSession(file, options).start());
  event.waitUntil(uploading.then(
    (uploaded) => answer.postMessage({ uploaded }),
    (error) => answer.postMessage({ error: `${error.code}: ${error.message}` }),
  ));
});
