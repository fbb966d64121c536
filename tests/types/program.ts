// Every name of the public surface, used as its contract says. Nothing here runs: it has to compile.
import init, {
  sha1Digest,
  UploadError,
  UploadSession,
  UploadSessionsApi,
  type Caller,
  type ConnectionOptions,
  type CreateUploadSession,
  type Envelope,
  type PassThrough,
  type Progress,
  type RequestOptions,
  type RetryConfig,
  type TokenSource,
  type UnifiedFile,
  type UploadErrorCode,
  type UploadEvents,
  type UploadOptions,
  type UploadSessionInfo,
  type UploadSnapshot,
  type UploadState,
  type UploadStore,
} from "upload-session";

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
const same = <A, B>(_: Same<A, B>): void => {};

const retries: RetryConfig = {
  strategy: "backoff",
  backoff: { initialInterval: 500, maxInterval: 60_000, exponent: 1.5, maxElapsedTime: 900_000 },
  retryConnectionErrors: true,
};
const noRetries: RetryConfig = { strategy: "none" };
const tokens: TokenSource[] = ["token", () => "token", async () => "token"];
const caller: Caller = { appId: "app", consumerId: "consumer", serviceId: "box" };
const passThrough: PassThrough[] = [
  { serviceId: "box", operationId: "one", extendObject: { a: 1 }, extendPaths: [{ path: "$.a", value: null }] },
];
const connection: ConnectionOptions = {
  serverUrl: "https://upload.apideck.com",
  apiKey: tokens[1],
  authType: "jwt",
  ...caller,
  headers: { "x-trace": "1" },
  credentials: "include",
  retries,
};
const call: RequestOptions = {
  serverUrl: "/proxy",
  retries: noRetries,
  signal: new AbortController().signal,
  timeout: 60_000,
  headers: {},
};

async function operations(body: Blob | ArrayBuffer | Uint8Array): Promise<void> {
  const api = new UploadSessionsApi(connection);
  const create: CreateUploadSession = {
    name: "a.bin",
    parentFolderId: "root",
    size: null,
    driveId: "drive",
    passThrough,
    raw: true,
    ...caller,
  };
  const created: Envelope<{ id: string }> = await api.create(create, call);
  const id = created.data.id;
  const got: Envelope<UploadSessionInfo> = await api.get({ id, raw: true, fields: "id,part_size", ...caller }, call);
  same<UploadSessionInfo["partSize"], number | undefined>(true);
  same<UploadSessionInfo["expiresAt"], string | null | undefined>(true);
  const digest: string = await sha1Digest(body);
  await api.upload({ id, partNumber: 0, body, digest, raw: false, ...caller }, call);
  const finished: Envelope<UnifiedFile> = await api.finish({ id, digest }, call);
  const direct = await api.uploadFile({ name: "b", parentFolderId: "root", driveId: "d", body }, call);
  await api.delete({ id: direct.data.id });
  const texts: (string | undefined)[] = [
    got.status, got.service, got.resource, got.operation, got.requestId, finished.data.mimeType ?? undefined,
  ];
  const statusCode: number = got.statusCode;
  const rest: unknown[] = [got.meta, got.raw, finished.data["anything"], texts, statusCode, got.data.success];
  api.free();
  void rest;
}

const records = new Map<string, UploadSnapshot>();
const store: UploadStore = {
  get: async (key) => records.get(key),
  set: async (key, value) => void records.set(key, value),
  delete: async (key) => void records.delete(key),
};

async function resume(file: File, options: UploadOptions): Promise<UploadSession> {
  const resumed: UploadSession | undefined = await UploadSession.resume(file, { ...options, store: "indexeddb" });
  const snapshot: UploadSnapshot | undefined = resumed?.snapshot();
  if (!snapshot) return new UploadSession(file, { ...options, store: "none" });
  const kept: [number, string, unknown] = [snapshot.version, snapshot.sessionId, snapshot["partSize"]];
  void kept;
  return UploadSession.fromSnapshot(file, JSON.parse(JSON.stringify(snapshot)), options);
}

async function upload(file: File): Promise<UnifiedFile> {
  const options: UploadOptions = {
    ...connection,
    parentFolderId: "root",
    name: file.name,
    driveId: "drive",
    passThrough,
    digest: "parts-and-file",
    concurrency: 4,
    memoryBudget: 67_108_864,
    body: "auto",
    transport: "xhr",
    direct: "never",
    stallTimeout: 30_000,
    restart: true,
    store,
    signal: AbortSignal.timeout(1000),
  };
  const session = new UploadSession(file, options);
  const id: string | undefined = session.id;
  const state: UploadState = session.state;
  const progress: Progress = session.progress;
  const off: () => void = session.on("progress", (detail) => same<typeof detail, Progress>(true));
  session.on("state", ({ state }) => same<typeof state, UploadState>(true));
  session.on("session", ({ id, partSize, parallel, resumed, expiresAt }) => [id, partSize, parallel, resumed, expiresAt]);
  session.on("part", ({ partNumber, start, end, state, attempt }) => [partNumber, start, end, state === "done", attempt]);
  session.on("retry", ({ operation, partNumber, attempt, delay, error }) => [operation, partNumber, attempt, delay, error.code]);
  session.on("warning", ({ code, message }: UploadEvents["warning"]) => [code, message]);
  // @ts-expect-error there is no such event
  session.on("nothing", () => {});
  // @ts-expect-error the id is the server's to give
  session.id = "other";
  off();
  try {
    return await session.start();
  } catch (error) {
    if (error instanceof UploadError) {
      const code: UploadErrorCode = error.code;
      const base: Error = error;
      same<typeof error.name, "UploadError">(true);
      const fields: unknown[] = [
        code, base.message, error.status, error.typeName, error.detail, error.ref, error.requestId, error.partNumber,
        error.retryable, error.cause, progress.parts.inFlight, progress.secondsRemaining, id, state,
      ];
      console.error(fields);
    }
    session.pause();
    session.resume();
    await session.abort();
    session.free();
    throw error;
  }
}

// @ts-expect-error a folder is needed
new UploadSession(new Blob(), { name: "a" });

void init().then(() => init("upload_session_bg.wasm"));
void [operations, resume, upload];
