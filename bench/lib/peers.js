// The servers of those contestants that do not speak the upload sessions API, on loopback, in this process: a tus server
// that stores on disk, as its file store does, and a sink that drops what it gets. They serve the page, too.

import { mkdir, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import sirv from "sirv";

/** Starts them; `folder` is for uploads. `served` has the paths of the files that pages got. */
export async function startPeers({ page, pkg, folder }) {
  await mkdir(folder, { recursive: true });
  const tus = new Server({ path: "/files", datastore: new FileStore({ directory: folder }) });
  const [ofPage, ofPackage] = [page, pkg].map((directory) => sirv(directory, { dev: true }));
  const served = [];

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://127.0.0.1");
    if (pathname.startsWith("/files")) return tus.handle(request, response);
    if (pathname === "/sink") return sink(request, response);
    const missing = () => response.writeHead(404).end();
    const isOurs = pathname.startsWith("/pkg/");
    served.push(isOurs ? path.join(pkg, pathname.slice("/pkg".length)) : path.join(page, pathname));
    if (!isOurs) return ofPage(request, response, missing);
    request.url = request.url.slice("/pkg".length);
    return ofPackage(request, response, missing);
  });
  // A large file takes longer than requests of pages commonly may.
  server.requestTimeout = 0;
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    served,
    /** Removes what was uploaded. */
    async reset() {
      for (const name of await readdir(folder)) await rm(path.join(folder, name));
    },
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

function sink(request, response) {
  request.resume().once("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
}
