// Every name of `upload-session/edge`, used as its contract says. Nothing here runs: it has to compile.
import {
  createUploadProxy,
  ingest,
  init,
  UploadError,
  type Grant,
  type IngestOptions,
  type UploadProxyOptions,
} from "upload-session/edge";
import type { Progress, UnifiedFile } from "upload-session";

interface Env {
  API_KEY: string;
  SESSION_SECRETS: string;
}

const grant: Grant = {
  consumerId: "consumer",
  serviceId: "box",
  parentFolderIds: ["root"],
  driveId: "drive",
  maxFileSize: 1_000_000,
};

const options: UploadProxyOptions<Env> = {
  upstream: "https://upload.apideck.com",
  apiKey: (env) => env.API_KEY,
  appId: async () => "app",
  sessionSecret: (env) => env.SESSION_SECRETS.split(","),
  authorize: async (request, env) => (request.headers.has("cookie") && env.API_KEY ? grant : null),
  allowedOrigins: ["https://app.example"],
  basePath: "/uploads",
  maxPartSize: 8_388_608,
  timeout: 30_000,
};

async function worker(module: WebAssembly.Module, bytes: ArrayBuffer): Promise<Response> {
  const nothing: void = await init(module);
  await init(bytes);
  const fetch: (request: Request, env: Env, context?: unknown) => Promise<Response> = createUploadProxy<Env>(options);
  const plain = createUploadProxy({ apiKey: "key", appId: "app", sessionSecret: "secret", authorize: () => null });
  await plain(new Request("https://edge.example/"), nothing);
  return fetch(new Request("https://edge.example/"), { API_KEY: "key", SESSION_SECRETS: "secret" }, {});
}

async function stream(source: ReadableStream<Uint8Array>): Promise<UnifiedFile | undefined> {
  const known: IngestOptions = {
    name: "film.mp4",
    size: 500_000_000,
    parentFolderId: "root",
    apiKey: "key",
    digest: "parts-and-file",
    memoryBudget: 33_554_432,
    concurrency: 2,
    signal: new AbortController().signal,
    onProgress: ({ confirmed, total }: Progress) => void (confirmed / total),
  };
  try {
    return await ingest(source, { ...known, size: null });
  } catch (error) {
    if (error instanceof UploadError && error.retryable) return undefined;
    throw error;
  }
}

// What the contract leaves out stays out.
// @ts-expect-error a name is required
const nameless: IngestOptions = { size: 1, parentFolderId: "root" };
// @ts-expect-error a stream is neither a blob nor kept for a resume
const stored: IngestOptions = { name: "a", size: 1, parentFolderId: "root", store: "none" };
// @ts-expect-error someone has to say who is calling
const open: UploadProxyOptions = { apiKey: "key", appId: "app", sessionSecret: "secret" };

export { nameless, open, stored, stream, worker };
