// The pages that the tests open: as they are, and built by each bundler with no more settings than the README tells.

import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import { PACKED } from "./install.js";

const APPS = path.join(PACKED, "apps");
const DIST = path.join(PACKED, "dist");
const PACKAGE = "/node_modules/upload-session";
const IMPORTS = { "upload-session": `${PACKAGE}/index.js`, "upload-session/worker": `${PACKAGE}/dist/worker.js` };

const page = (script, head = "") => `<!doctype html><meta charset="utf-8"><title>A page</title>${head}
<input type="file">
<script type="module" src="${script}"></script>
`;

/** No bundler: an import map, and full paths in workers, where import maps do not count. */
export async function plain() {
  const folder = path.join(DIST, "plain");
  await cp(APPS, folder, { recursive: true });
  const map = `<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
  for (const app of ["main", "worker", "own-worker-page", "service-worker-page"]) {
    await writeFile(path.join(folder, `${app}.html`), page(`./${app}.js`, map));
  }
  for (const script of ["own-worker.js", "service-worker.js"]) {
    const text = await readFile(path.join(APPS, script), "utf8");
    await writeFile(path.join(folder, script), text.replace('"upload-session"', `"${IMPORTS["upload-session"]}"`));
  }
}

export async function withVite() {
  const apps = ["main", "worker", "own-worker-page"];
  await mkdir(path.join(PACKED, "vite"), { recursive: true });
  const inputs = apps.map((app) => path.join(PACKED, "vite", `${app}.html`));
  await Promise.all(apps.map((app, index) => writeFile(inputs[index], page(`../apps/${app}.js`))));
  await vite.build({
    configFile: false,
    root: PACKED,
    base: "/dist/",
    logLevel: "warn",
    build: { outDir: DIST, emptyOutDir: false, rolldownOptions: { input: inputs } },
  });
}

/** The development server, in which Vite bundles dependencies in another way than in a build. */
export async function viteServer(target) {
  const server = await vite.createServer({
    configFile: false,
    root: PACKED,
    cacheDir: path.join(PACKED, "vite-cache"),
    logLevel: "warn",
    server: { host: "127.0.0.1", port: 0, proxy: { "/file-storage": target } },
  });
  await server.listen();
  return { address: `http://127.0.0.1:${server.httpServer.address().port}`, stop: () => server.close() };
}

export async function withWebpack() {
  const folder = path.join(DIST, "webpack");
  const apps = ["main", "worker"];
  const stats = await new Promise((resolve, reject) => {
    const configuration = {
      mode: "production",
      context: APPS,
      entry: Object.fromEntries(apps.map((app) => [app, `./${app}.js`])),
      output: { path: folder },
      performance: false,
    };
    webpack(configuration, (error, result) => (error ? reject(error) : resolve(result)));
  });
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
  await Promise.all(apps.map((app) => writeFile(path.join(folder, `${app}.html`), page(`./${app}.js`))));
}

export async function withEsbuild() {
  const folder = path.join(DIST, "esbuild");
  const common = { bundle: true, minify: true, outdir: folder, absWorkingDir: APPS, logLevel: "warning" };
  await esbuild.build({
    ...common,
    entryPoints: {
      main: "main-address.js",
      worker: "worker-address.js",
      thread: "upload-session/worker/thread",
      "service-worker-page": "service-worker-page.js",
    },
    format: "esm",
    loader: { ".wasm": "file" },
  });
  // A classic script, for service workers of every browser; it is told where the module is.
  await esbuild.build({
    ...common,
    entryPoints: ["service-worker.js"],
    format: "iife",
    logOverride: { "empty-import-meta": "silent" },
  });
  await Promise.all(["main", "worker", "service-worker-page"].map((app) => writeFile(path.join(folder, `${app}.html`), page(`./${app}.js`))));
}
