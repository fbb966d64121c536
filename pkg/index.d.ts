/**
 * The public surface of the npm package `upload-session`, for pages and workers.
 *
 * Sizes are in bytes, times in milliseconds, part numbers start at 0. Names here are camelCase; on the wire they are
 * snake_case. Whatever a function is handed is checked at once: an argument that is off is an {@link UploadError} with
 * the code `invalid_argument`, whose message names the field and what it takes.
 *
 * @module upload-session
 */

/**
 * Loads and instantiates the WebAssembly module. Idempotent; must resolve before anything else is used: best called as the
 * page loads. Rejects where the module cannot be loaded, and may be called again then.
 *
 * @param input What to load: an address, a `Request`, a `Response`, the file's bytes, a compiled `WebAssembly.Module`, or a
 * promise of one of these. Default: the `.wasm` file beside the package's own script is fetched.
 */
export default function init(input?: unknown): Promise<unknown>;

// ---------------------------------------------------------------------------------------------------
// Connection: where requests go and who they act for. The same words as Apideck's own SDKs.

/** A bearer token, or a function that returns a fresh one. It is asked again, once, after a 401. */
export type TokenSource = string | (() => string | Promise<string>);

/** Same shape as the RetryConfig of Apideck's SDKs, so that a configuration can be carried over. */
export interface RetryConfig {
  /** "backoff" sends again what may succeed later; with "none" every failure is final. */
  strategy: "backoff" | "none";
  /** How long is waited between two attempts: a random time up to a bound that grows (exponential backoff, full jitter). */
  backoff?: {
    /** the bound before the second attempt, in milliseconds, 0 to 1e12; default 500 */ initialInterval: number;
    /** what the bound grows to at most, in milliseconds, 0 to 1e12; default 60_000. `Retry-After` may ask for more */ maxInterval: number;
    /** by what the bound is multiplied after each attempt, 1 to 100; default 1.5 */ exponent: number;
    /**
     * no attempt begins later than so many milliseconds after the request's first failure, 0 to 1e12; default 900_000
     * (15 minutes). It counts for each request anew, and from the beginning after a pause or a time offline.
     */
    maxElapsedTime: number;
  };
  /** whether failures without an answer are retried, too; default true */ retryConnectionErrors?: boolean;
}

/** Where requests go, who they act for, and when they are sent again. */
export interface ConnectionOptions {
  /** an http(s) address, or a path that begins with "/"; default "https://upload.apideck.com"; in production, your proxy */
  serverUrl?: string;
  /** left out behind a proxy that adds it: a secret API key has no place in a browser */
  apiKey?: TokenSource;
  /** "jwt" (a Vault session token) also sends `x-apideck-auth-type: JWT`. default "apiKey" */
  authType?: "apiKey" | "jwt";
  /** the header `x-apideck-app-id`; left out behind a proxy that adds it */
  appId?: string;
  /** whose storage it is: the header `x-apideck-consumer-id`; left out behind a proxy that adds it */
  consumerId?: string;
  /** which connector, e.g. "box": the header `x-apideck-service-id`; default: the one that the consumer has activated */
  serviceId?: string;
  /**
   * extra headers for every request. Those that the package sets itself are `invalid_argument`: `content-type`,
   * `content-length`, `digest`, `x-apideck-metadata`; with an `apiKey` also `authorization`
   */
  headers?: Record<string, string>;
  /** whether cookies go along, as in `fetch`; default "same-origin" */
  credentials?: "omit" | "same-origin" | "include";
  /** when a request is sent again; default: as {@link RetryConfig} says of each field */
  retries?: RetryConfig;
}

/** Per-call overrides. */
export interface RequestOptions {
  /** as in {@link ConnectionOptions} */
  serverUrl?: string;
  /** as in {@link ConnectionOptions}, in its place: nothing is merged */
  retries?: RetryConfig;
  /** ends the call, which then rejects with `aborted` */
  signal?: AbortSignal;
  /** how many milliseconds one attempt may take, 1 to 1e12; default: no limit for file content, 60_000 for the rest */
  timeout?: number;
  /** extra headers, beside those of the connection; of the same name, these count */
  headers?: Record<string, string>;
}

/** Who a single call acts for, where it differs from the connection. */
export interface Caller {
  /** as in {@link ConnectionOptions} */
  appId?: string;
  /** as in {@link ConnectionOptions} */
  consumerId?: string;
  /** as in {@link ConnectionOptions} */
  serviceId?: string;
}

// ---------------------------------------------------------------------------------------------------
// The five operations, one request each.

/** What a connector is told beyond the unified fields, on create: the API's `pass_through`. */
export interface PassThrough {
  /** the connector that it is for */
  serviceId: string;
  /** the one of its requests that it is for, where there are several */
  operationId?: string;
  /** merged into the connector's own request */
  extendObject?: Record<string, unknown>;
  /** values set at paths of the connector's own request */
  extendPaths?: {
    /** a JSONPath, e.g. "$.metadata" */ path: string;
    /** any JSON */ value: unknown;
  }[];
}

/** What {@link UploadSessionsApi.create} takes. */
export interface CreateUploadSession extends Caller {
  /** name of the file to be, not empty, without control characters */
  name: string;
  /** id of the folder that it goes into; "root" for the drive's root */
  parentFolderId: string;
  /** bytes; null where it is not known (the API takes a nullable size) */
  size: number | null;
  /** id of the drive, where the connector has several */
  driveId?: string;
  /** additions for the connector */
  passThrough?: PassThrough[];
  /** whether the connector's own answer comes along; default false */
  raw?: boolean;
}

/** What every answer of the API carries around its data. */
export interface Envelope<T> {
  /** the HTTP status again */
  statusCode: number;
  /** the status in words, e.g. "OK" */
  status: string;
  /** the connector, e.g. "box" */
  service: string;
  /** the kind of thing that was asked for */
  resource: string;
  /** what was done with it */
  operation: string;
  /** the answer itself, its names in camelCase */
  data: T;
  /** what the API says of the answer */
  meta?: Record<string, unknown>;
  /** the connector's own answer, where `raw: true` was asked */
  raw?: unknown;
  /** the `request-id` header, to quote to Apideck's support */
  requestId?: string;
}

/** An upload session, as {@link UploadSessionsApi.get} tells of it. */
export interface UploadSessionInfo {
  /** the session's id */
  id?: string;
  /** true once the session was finished and the file is there */
  success?: boolean;
  /** bytes that every part has but the last, which may be shorter */
  partSize?: number;
  /** whether parts may be sent side by side and in any order; else one by one, in order */
  parallelUploadSupported?: boolean;
  /** e.g. "0-8388607": first and last byte that the server holds, both included; absent while it holds none */
  uploadedByteRange?: string;
  /** when the session ends, ISO 8601 */
  expiresAt?: string | null;
}

/** The file as the API's finish and direct upload return it (unified file; fields vary by connector). */
export interface UnifiedFile {
  /** the file's id in the storage */
  id: string;
  /** the name that the storage gave it, which may differ from the one that was asked for */
  name?: string;
  /** bytes */
  size?: number | null;
  /** media type, e.g. "application/pdf" */
  mimeType?: string | null;
  /** whatever else the API tells, names in camelCase */
  [field: string]: unknown;
}

/**
 * The operations one by one, for callers who slice and order the parts themselves; {@link UploadSession} does all of it.
 * Each call is one request with its retries. It rejects with an {@link UploadError}: `invalid_argument` where the request
 * is off, `aborted` by its signal, `protocol` where the answer is none of the API's, and otherwise as the answer's status says.
 */
export class UploadSessionsApi {
  /** Takes where requests go and who they act for. Sends nothing. Throws `invalid_argument`, naming the field. */
  constructor(options: ConnectionOptions);
  /** `POST /file-storage/upload-sessions`: opens a session, and answers its id. */
  create(request: CreateUploadSession, options?: RequestOptions): Promise<Envelope<{
    /** the session's id */
    id: string;
  }>>;
  /** `GET /file-storage/upload-sessions/{id}`: tells the part size, what the server holds, and when the session ends. */
  get(request: { id: string; raw?: boolean; fields?: string } & Caller, options?: RequestOptions): Promise<Envelope<UploadSessionInfo>>;
  /**
   * `PUT /file-storage/upload-sessions/{id}?part_number=N`: sends a part. `partNumber` is 0 to 10_000; `digest` is what
   * {@link sha1Digest} gives for `body`: Box requires it, others check it where it is there. `file_changed` where the
   * content of a `Blob` cannot be read.
   */
  upload(
    request: { id: string; partNumber: number; body: Blob | ArrayBuffer | Uint8Array; digest?: string; raw?: boolean } & Caller,
    options?: RequestOptions,
  ): Promise<Envelope<{
    /** the session's id */
    id: string;
  }>>;
  /** `DELETE /file-storage/upload-sessions/{id}`: drops a session and what the server holds of it. */
  delete(request: { id: string; raw?: boolean } & Caller, options?: RequestOptions): Promise<Envelope<{
    /** the session's id */
    id: string;
  }>>;
  /**
   * `POST /file-storage/upload-sessions/{id}/finish`: makes the file of the parts. `digest` is that of the whole file,
   * which Box requires. A connector may answer with the status 202, and ask to be asked again; then `data` is not the file yet.
   */
  finish(request: { id: string; digest?: string; raw?: boolean } & Caller, options?: RequestOptions): Promise<Envelope<UnifiedFile>>;
  /** `POST /file-storage/files`: sends a small file in one request (100 MB at most; 4 MB on OneDrive and SharePoint). */
  uploadFile(
    request: { name: string; parentFolderId: string; driveId?: string; body: Blob | ArrayBuffer | Uint8Array; raw?: boolean } & Caller,
    options?: RequestOptions,
  ): Promise<Envelope<{
    /** the file's id */
    id: string;
  }>>;
  /** Frees the memory of the module at once, instead of when this object is collected as garbage. */
  free(): void;
}

/**
 * Hashes content; resolves to `sha=<base64 of SHA-1>`, the RFC 3230 value of the `digest` header. Reads a `Blob` in
 * chunks. Rejects with `invalid_argument` for anything else, `file_changed` where the content cannot be read.
 */
export function sha1Digest(body: Blob | ArrayBuffer | Uint8Array): Promise<string>;

// ---------------------------------------------------------------------------------------------------
// One file's upload, from first byte to finished file.

/** What an {@link UploadSession} is told: where the file goes, and how. A plain object, as all options are. */
export interface UploadOptions extends ConnectionOptions {
  /** id of the folder that the file goes into; "root" for the drive's root */
  parentFolderId: string;
  /** name of the file to be, not empty, without control characters; default: `file.name`. Required for a plain `Blob` */
  name?: string;
  /** id of the drive, where the connector has several */
  driveId?: string;
  /** additions for the connector; with any the file goes by session, however small, unless it is empty */
  passThrough?: PassThrough[];

  /**
   * which digests are computed and sent. Box requires both. Less costs less computing, and none has nothing checked on the
   * way. default "parts-and-file"
   */
  digest?: "parts-and-file" | "parts" | "none";
  /**
   * most parts in flight, 1 to 6, default 4. It begins with 2, takes more while that is faster, and fewer after a 429 or a
   * timeout. It is 1 wherever the session says parallelUploadSupported: false
   */
  concurrency?: number;
  /** most bytes of file content held in memory, from 1; default 67_108_864 (64 MiB). A larger part goes as a slice */
  memoryBudget?: number;
  /**
   * what is PUT: "blob", a slice of the file that the browser streams from disk, or "buffer", the very bytes that were
   * hashed, held in memory. default "auto": "blob" in Chromium and Firefox, "buffer" elsewhere
   */
  body?: "auto" | "blob" | "buffer";
  /**
   * By what file content is sent: "xhr" measures progress within a part, "fetch" estimates it. "xhr" needs
   * `XMLHttpRequest` (windows and dedicated workers have it; elsewhere it is `invalid_argument`), cannot do
   * `credentials: "omit"` (`invalid_argument`), and follows redirects, content and headers with them, and then refuses the answer.
   * default "fetch"
   */
  transport?: "fetch" | "xhr";
  /**
   * "auto" sends a small file in one request, without a session: up to 4_000_000 bytes, to Box below 20_000_000 (its
   * sessions begin there); not where there is a `passThrough`. An empty file always goes so. default "auto"
   */
  direct?: "auto" | "never";
  /**
   * A request with file content that makes no progress for so many milliseconds is sent again, 1 to 1e12; with "fetch",
   * which tells of none, it may take so long beyond what it should at the measured speed. An answer may take four times
   * as long. default 30_000
   */
  stallTimeout?: number;
  /**
   * whether a session that expires on the way is followed by a fresh one, from the start, five times at most.
   * default false: `session_expired`
   */
  restart?: boolean;
  /**
   * Where the resume record is kept, until the upload is done or aborted. default "indexeddb" for a `File` where there is
   * one, else "none" (a plain `Blob` has no date to be known again by). Whatever the store does, the upload goes on: a
   * failure is one `warning` with the code `storage`.
   */
  store?: "indexeddb" | "none" | UploadStore;
  /**
   * ends the upload as {@link UploadSession.abort} does; the error's `cause` is the signal's reason. Before start() it only
   * ends the object, and leaves what there is to resume
   */
  signal?: AbortSignal;
}

/**
 * A place for resume records, e.g. one's own database. Keys tell file and target by their hashes; values are plain JSON of
 * some hundred bytes, and hold no credentials. Each call may take 5 s; the
 * upload itself waits for `get` alone, and its end for what is still being written, 2 s at most.
 */
export interface UploadStore {
  /** Resolves to what is kept under the key; to undefined where there is nothing. */
  get(key: string): Promise<UploadSnapshot | undefined>;
  /** Keeps a value in place of an earlier one. Called after each part that the server acknowledged, every 25 ms at most. */
  set(key: string, value: UploadSnapshot): Promise<void>;
  /** Forgets what is kept under the key, if there is anything. */
  delete(key: string): Promise<void>;
}

/** Enough to go on after a reload or a crash; opaque but for these. Plain JSON without credentials. */
export interface UploadSnapshot {
  /** version of the record's shape */
  readonly version: number;
  /** id of the session on the server: behind the edge a signed one, which is of use to its owner alone */
  readonly sessionId: string;
  /** opaque */
  readonly [field: string]: unknown;
}

/**
 * Where an upload stands. "waiting" is offline: the upload goes on by itself once there is a network, and no attempt is
 * spent until then. "done", "failed" and "aborted" are the ends.
 */
export type UploadState =
  | "idle" | "starting" | "uploading" | "paused" | "waiting" | "finishing" | "done" | "failed" | "aborted";

/** How far an upload is: confirmed ≤ sent ≤ total. */
export interface Progress {
  /** bytes of the whole file */ total: number;
  /** bytes whose parts the server has acknowledged; never falls but to 0 with `restart`, never exceeds total */ confirmed: number;
  /** confirmed plus bytes in flight (measured by "xhr", estimated by "fetch"); never exceeds total */ sent: number;
  /** bytes read for hashing so far; it runs ahead of `sent` */ hashed: number;
  /** bytes per second, smoothed (half-life 2 s); 0 until a part is acknowledged, and where nothing moves */
  bytesPerSecond: number;
  /** seconds until the rest is sent at that speed; null until known */ secondsRemaining: number | null;
  /** the same in parts */
  parts: {
    /** of the file; 0 until the session's part size is known */ total: number;
    /** acknowledged */ done: number;
    /** being sent */ inFlight: number;
  };
}

/**
 * What {@link UploadSession.on} tells, by name. A listener is called synchronously; what it throws by then goes to
 * console.error, and does not disturb the upload. A promise that it returns is its own to handle.
 */
export interface UploadEvents {
  /** the state changed */
  state: {
    /** the new one */ state: UploadState;
  };
  /** the session exists: its id and part size are known. Not for a file that goes in one request */
  session: {
    /** the session's id */ id: string;
    /** bytes of every part but the last */ partSize: number;
    /** whether parts go side by side */ parallel: boolean;
    /** whether it goes on with what an earlier visit began */ resumed: boolean;
    /** when the session ends, as the server put it (ISO 8601); null where it does not tell */ expiresAt: string | null;
  };
  /** how far it is: at most every 16 ms, and in any case at the end */
  progress: Progress;
  /** a part took a step; parts that an earlier visit sent are told as "done" right after `session` */
  part: {
    /** from 0 */ partNumber: number;
    /** its first byte in the file */ start: number;
    /** the byte behind its last one */ end: number;
    /**
     * "hashing": it is read; "queued": it waits for its turn; "sending": it is on its way; "retrying": it waits to be sent
     * again; "done": the server acknowledged it
     */
    state: "hashing" | "queued" | "sending" | "done" | "retrying";
    /** how many attempts to send it were begun; 0 before the first */ attempt: number;
  };
  /** a request failed, and is sent again */
  retry: {
    /** which request */ operation: "create" | "get" | "upload" | "finish" | "delete" | "direct";
    /** of `upload`: which part */ partNumber?: number;
    /** how many attempts there were */ attempt: number;
    /** milliseconds until the next */ delay: number;
    /** why */ error: UploadError;
  };
  /**
   * something that does not stop the upload: `memory_budget` (a part is larger, and sent as a slice of the file),
   * `session_not_deleted` (after an abort it may still be on the server), `file_id_unknown` (see start()), `storage` (the
   * resume record could not be kept, or is damaged, or a newer version's: once an upload), `restarted` (the session was
   * gone, and a fresh one follows), `possible_duplicate` (a file sent in one request was sent again as its answer was lost)
   */
  warning: {
    /** one of those */ code: string;
    /** a sentence for developers */ message: string;
  };
}

/** One file's upload, from first byte to finished file. */
export class UploadSession {
  /** Throws an UploadError (`invalid_argument`) at once where an argument is off. Sends nothing yet. */
  constructor(file: Blob, options: UploadOptions);
  /**
   * A session that goes on from where the stored record of this very file and target left off, once it is started;
   * undefined where there is no usable one. The same file may be picked anew: it is known by name, size, date, type and
   * samples of its content; the target by server, app, consumer, service, folder, drive and `digest`. Rejects with
   * `invalid_argument`, or `file_changed` where the file cannot be read; never because of the store.
   */
  static resume(file: Blob, options: UploadOptions): Promise<UploadSession | undefined>;
  /**
   * A session that goes on from a snapshot that the caller kept. Throws `invalid_argument` where that is damaged or from a
   * newer version; start() rejects with `file_changed` where it is not of this file, and with `invalid_argument` where it
   * is of another target. Nothing is sent then.
   */
  static fromSnapshot(file: Blob, snapshot: UploadSnapshot, options: UploadOptions): UploadSession;

  /** The session's id on the server; undefined until it is known, and for a file that goes in one request. */
  readonly id: string | undefined;
  /** Where the upload stands. */
  readonly state: UploadState;
  /** How far the upload is. At the event of a part that is done, that part counts. */
  readonly progress: Progress;

  /**
   * Runs to the end. One call a session; a second gives the same promise. Where the answer that named the file was lost,
   * and the server only tells that the session succeeded, `id` is the session's: the warning `file_id_unknown` says so.
   * Rejects with `conflict` (without a `status`) while another tab or session of this origin uploads the same file to the
   * same target, where the runtime has Web Locks: browsers in a secure context, not Node 20. A resumed session whose server has forgotten it starts afresh.
   */
  start(): Promise<UnifiedFile>;
  /**
   * Stops sending at once; what is confirmed stays confirmed, and parts that were on their way are sent anew. Does nothing
   * before start(), and once the upload has ended.
   */
  pause(): void;
  /** Goes on after a pause; does nothing otherwise. */
  resume(): void;
  /**
   * Cancels what is in flight, deletes the session on the server and forgets the record; start() rejects with `aborted`
   * at once, and this promise is fulfilled once that is done, or a warning told why it is not: after half a minute of trying.
   * A failed upload leaves its session on the server until it is aborted. Before start() it drops what a resumed session
   * would go on from.
   */
  abort(): Promise<void>;
  /** What it takes to go on from here; undefined before the session's part size is known, and once there is nothing to go on with. */
  snapshot(): UploadSnapshot | undefined;
  /** Calls a listener at every event of a name; returns the function that takes it off again. Throws `invalid_argument`. */
  on<E extends keyof UploadEvents>(event: E, listener: (detail: UploadEvents[E]) => void): () => void;
  /**
   * Frees the memory of the module. An upload that is under way stops, and start() rejects with `aborted`: where a record
   * is kept, the session stays on the server to be resumed; else it is deleted. Of what comes after, only abort() and
   * free() are allowed, and do nothing.
   */
  free(): void;
}

// ---------------------------------------------------------------------------------------------------
// Errors: one class, one stable code each.

/** Why something failed. Stable: a code keeps its meaning, and new ones are told in the changelog. */
export type UploadErrorCode =
  /** an option, a name, a size, a file that is none */
  | "invalid_argument"
  /** 400: the request is off */
  | "bad_request"
  /** 401, after the one refresh; without a status: the function of `apiKey` failed */
  | "unauthorized"
  /** 402: the plan does not have it */
  | "payment_required"
  /** 403: not allowed */
  | "forbidden"
  /** 404: e.g. the folder or the connector */
  | "not_found"
  /** 409; without a status: another tab or session is at it */
  | "conflict"
  /** 422: well-formed, and refused */
  | "unprocessable"
  /** 429, retries spent */
  | "rate_limited"
  /** 5xx; 500, 502, 503 and 504 after retries */
  | "server_error"
  /** any other 4xx; 408 after retries */
  | "http_error"
  /** no answer, retries spent: a broken link, or a server that does not answer this page (CORS) */
  | "network"
  /** no answer in time, retries spent */
  | "timeout"
  /** by abort(), free() or the signal */
  | "aborted"
  /** past `expires_at`, or the server no longer knows the session */
  | "session_expired"
  /** the file on disk is not the one that was chosen, or cannot be read */
  | "file_changed"
  /** more than 10_001 parts */
  | "file_too_large"
  /** the server holds other bytes than were sent, twice */
  | "digest_mismatch"
  /** an answer that the API does not allow */
  | "protocol"
  /** of a warning, never of an error: the resume record could not be kept */
  | "storage"
  /** of `upload-session/worker`: there is no worker, or it ended */
  | "worker";

/** What every function of the package throws or rejects with. Holds no credentials. Its message is for developers. */
export class UploadError extends Error {
  /** always "UploadError" */
  readonly name: "UploadError";
  /** what to decide by */
  readonly code: UploadErrorCode;
  /** HTTP status, where there was an answer */ readonly status?: number;
  /** the API's own `type_name` */ readonly typeName?: string;
  /** the API's own `detail`; the first 2 KiB of an answer that is no JSON */ readonly detail?: unknown;
  /** the API's own `ref`: an address in its documentation */ readonly ref?: string;
  /** the header `request-id`, to quote to Apideck's support */ readonly requestId?: string;
  /** the part that it is about, from 0 */ readonly partNumber?: number;
  /** whether the same call may succeed later */ readonly retryable: boolean;
  /** what the browser, a signal or a function of yours failed with, where that led to it */ readonly cause?: unknown;
}
