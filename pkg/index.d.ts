// The public surface of the npm package `upload-session`.
//
// Sizes are in bytes, times in milliseconds, part numbers start at 0. Names here are camelCase; on the wire they are
// snake_case. Whatever a function is handed is checked at once: an argument that is off is an UploadError with the
// code `invalid_argument`, whose message names the field.

/**
 * Loads and instantiates the WebAssembly module. Idempotent; must resolve before anything else is used.
 * Without `input` it fetches the `.wasm` file beside the package's own script. Otherwise `input` says what to load: an
 * address, a `Request`, a `Response`, the file's bytes, a compiled `WebAssembly.Module`, or a promise of one of these.
 */
export default function init(input?: unknown): Promise<unknown>;

// ---------------------------------------------------------------------------------------------------
// Connection: where requests go and who they act for. The same words as Apideck's own SDKs.

/** A bearer token, or a function that returns a fresh one. It is asked again, once, after a 401. */
export type TokenSource = string | (() => string | Promise<string>);

/** Same shape as the RetryConfig of Apideck's SDKs, so that a configuration can be carried over. */
export interface RetryConfig {
  strategy: "backoff" | "none";
  backoff?: {
    /** default 500 */ initialInterval: number;
    /** default 60_000 */ maxInterval: number;
    /** default 1.5 */ exponent: number;
    /** default 900_000 */ maxElapsedTime: number;
  };
  /** default true */ retryConnectionErrors?: boolean;
}

export interface ConnectionOptions {
  /** an http(s) address, or a path that begins with "/"; default "https://upload.apideck.com"; in production, your proxy */
  serverUrl?: string;
  /** left out behind a proxy that adds it: a secret API key has no place in a browser */
  apiKey?: TokenSource;
  /** "jwt" (a Vault session token) also sends `x-apideck-auth-type: JWT`. default "apiKey" */
  authType?: "apiKey" | "jwt";
  appId?: string;
  consumerId?: string;
  serviceId?: string;
  /** extra headers for every request */
  headers?: Record<string, string>;
  /** default "same-origin" */
  credentials?: "omit" | "same-origin" | "include";
  retries?: RetryConfig;
}

/** Per-call overrides. */
export interface RequestOptions {
  serverUrl?: string;
  retries?: RetryConfig;
  signal?: AbortSignal;
  /** how long one attempt may take; default: none for file content, 60_000 for the rest */
  timeout?: number;
  headers?: Record<string, string>;
}

/** Who a single call acts for, where it differs from the connection. */
export interface Caller {
  appId?: string;
  consumerId?: string;
  serviceId?: string;
}

// ---------------------------------------------------------------------------------------------------
// The five operations, one request each.

export interface PassThrough {
  serviceId: string;
  operationId?: string;
  extendObject?: Record<string, unknown>;
  extendPaths?: { path: string; value: unknown }[];
}

export interface CreateUploadSession extends Caller {
  name: string;
  parentFolderId: string;
  /** bytes; null where it is not known (the API takes a nullable size) */
  size: number | null;
  driveId?: string;
  passThrough?: PassThrough[];
  raw?: boolean;
}

/** What every answer of the API carries around its data. */
export interface Envelope<T> {
  statusCode: number;
  status: string;
  service: string;
  resource: string;
  operation: string;
  data: T;
  meta?: Record<string, unknown>;
  /** the connector's own answer, where `raw: true` was asked */
  raw?: unknown;
  /** the `request-id` header, to quote to Apideck's support */
  requestId?: string;
}

export interface UploadSessionInfo {
  id?: string;
  success?: boolean;
  partSize?: number;
  parallelUploadSupported?: boolean;
  /** e.g. "0-8388607": first and last byte that the server holds, both included */
  uploadedByteRange?: string;
  expiresAt?: string | null;
}

/** The file as the API's finish and direct upload return it (unified file; fields vary by connector). */
export interface UnifiedFile {
  id: string;
  name?: string;
  size?: number | null;
  mimeType?: string | null;
  [field: string]: unknown;
}

export class UploadSessionsApi {
  constructor(options: ConnectionOptions);
  create(request: CreateUploadSession, options?: RequestOptions): Promise<Envelope<{ id: string }>>;
  get(request: { id: string; raw?: boolean; fields?: string } & Caller, options?: RequestOptions): Promise<Envelope<UploadSessionInfo>>;
  upload(
    request: { id: string; partNumber: number; body: Blob | ArrayBuffer | Uint8Array; digest?: string; raw?: boolean } & Caller,
    options?: RequestOptions,
  ): Promise<Envelope<{ id: string }>>;
  delete(request: { id: string; raw?: boolean } & Caller, options?: RequestOptions): Promise<Envelope<{ id: string }>>;
  finish(request: { id: string; digest?: string; raw?: boolean } & Caller, options?: RequestOptions): Promise<Envelope<UnifiedFile>>;
  /** POST /file-storage/files: one request, for small files (100 MB at most; 4 MB on OneDrive and SharePoint) */
  uploadFile(
    request: { name: string; parentFolderId: string; driveId?: string; body: Blob | ArrayBuffer | Uint8Array; raw?: boolean } & Caller,
    options?: RequestOptions,
  ): Promise<Envelope<{ id: string }>>;
  /** Frees the memory of the module at once, instead of when this object is collected as garbage. */
  free(): void;
}

/** `sha=<base64 of SHA-1>`: the RFC 3230 value of the `digest` header. */
export function sha1Digest(body: Blob | ArrayBuffer | Uint8Array): Promise<string>;

// ---------------------------------------------------------------------------------------------------
// One file's upload, from first byte to finished file.

export interface UploadOptions extends ConnectionOptions {
  parentFolderId: string;
  /** default: file.name */
  name?: string;
  driveId?: string;
  passThrough?: PassThrough[];

  /** which digests are computed and sent. default "parts-and-file" */
  digest?: "parts-and-file" | "parts" | "none";
  /** most parts in flight, 1 to 6, default 4. It is 1 wherever the session says parallelUploadSupported: false */
  concurrency?: number;
  /** most bytes of file content held in memory, default 67_108_864 (64 MiB) */
  memoryBudget?: number;
  /** what is PUT: a slice of the file that the browser streams from disk, or the very bytes that were hashed. default "auto" */
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
  /** whether a session that expires on the way is followed by a fresh one, from the start. default false: `session_expired` */
  restart?: boolean;
  /**
   * Where the resume record is kept, until the upload is done or aborted. default "indexeddb" for a `File` where there is
   * one, else "none" (a plain `Blob` has no date to be known again by). Whatever the store does, the upload goes on: a
   * failure is one `warning` with the code `storage`.
   */
  store?: "indexeddb" | "none" | UploadStore;
  signal?: AbortSignal;
}

/**
 * A place for resume records, e.g. one's own database. Keys tell file and target by their hashes; values are plain JSON of
 * some hundred bytes, and hold no credentials. Each call may take 5 s; the
 * upload itself waits for `get` alone, and its end for what is still being written, 2 s at most.
 */
export interface UploadStore {
  get(key: string): Promise<UploadSnapshot | undefined>;
  set(key: string, value: UploadSnapshot): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Enough to go on after a reload or a crash; opaque but for these. Plain JSON without credentials. */
export interface UploadSnapshot {
  readonly version: number;
  readonly sessionId: string;
  readonly [field: string]: unknown;
}

/** "waiting" is offline: the upload goes on by itself once there is a network, and no attempt is spent until then. */
export type UploadState =
  | "idle" | "starting" | "uploading" | "paused" | "waiting" | "finishing" | "done" | "failed" | "aborted";

export interface Progress {
  /** bytes of the whole file */ total: number;
  /** bytes whose parts the server has acknowledged; never falls but to 0 with `restart`, never exceeds total */ confirmed: number;
  /** confirmed plus bytes in flight (measured by "xhr", estimated by "fetch"); never exceeds total */ sent: number;
  /** bytes hashed so far */ hashed: number;
  /** smoothed, bytes per second; 0 until known */ bytesPerSecond: number;
  /** null until known */ secondsRemaining: number | null;
  parts: { total: number; done: number; inFlight: number };
}

export interface UploadEvents {
  state: { state: UploadState };
  /** the session exists: its id and part size are known */
  session: { id: string; partSize: number; parallel: boolean; resumed: boolean; expiresAt: string | null };
  progress: Progress;
  part: { partNumber: number; start: number; end: number; state: "hashing" | "queued" | "sending" | "done" | "retrying"; attempt: number };
  retry: { operation: "create" | "get" | "upload" | "finish" | "delete" | "direct"; partNumber?: number; attempt: number; delay: number; error: UploadError };
  /**
   * something that does not stop the upload: `memory_budget` (a part is larger, and sent as a slice of the file),
   * `session_not_deleted` (after an abort it may still be on the server), `file_id_unknown` (see start()), `storage` (the
   * resume record could not be kept, or is damaged, or a newer version's: once an upload), `restarted` (the session was
   * gone, and a fresh one follows), `possible_duplicate` (a file sent in one request was sent again as its answer was lost)
   */
  warning: { code: string; message: string };
}

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

  readonly id: string | undefined;
  readonly state: UploadState;
  readonly progress: Progress;

  /**
   * Runs to the end. One call a session; a second gives the same promise. Where the answer that named the file was lost,
   * and the server only tells that the session succeeded, `id` is the session's: the warning `file_id_unknown` says so.
   * Rejects with `conflict` (without a `status`) while another tab or session of this origin uploads the same file to the
   * same target. A resumed session whose server has forgotten it starts afresh.
   */
  start(): Promise<UnifiedFile>;
  /** Stops sending at once; what is confirmed stays confirmed. Does nothing before start(). */
  pause(): void;
  resume(): void;
  /**
   * Cancels what is in flight, deletes the session on the server and forgets the record; start() rejects with `aborted`
   * at once, and this promise is fulfilled once that is done, or a warning told why it is not: after half a minute of trying. A failed upload leaves its
   * session on the server until it is aborted. Before start() it drops what a resumed session would go on from.
   */
  abort(): Promise<void>;
  /** What it takes to go on from here; undefined before the session's part size is known, and once there is nothing to go on with. */
  snapshot(): UploadSnapshot | undefined;
  /** Returns the function that takes the listener off again. */
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

export type UploadErrorCode =
  | "invalid_argument"     // an option, a name, a size, a file that is none
  | "bad_request"          // 400
  | "unauthorized"         // 401, after the one refresh
  | "payment_required"     // 402
  | "forbidden"            // 403
  | "not_found"            // 404
  | "conflict"             // 409; without a status: another tab or session is at it
  | "unprocessable"        // 422
  | "rate_limited"         // 429, retries spent
  | "server_error"         // 5xx, retries spent
  | "http_error"           // any other 4xx
  | "network"              // no answer, retries spent
  | "timeout"
  | "aborted"
  | "session_expired"      // past expires_at, or the server no longer knows the session
  | "file_changed"         // the file on disk is not the one that was chosen
  | "file_too_large"       // more than 10_001 parts
  | "digest_mismatch"      // the server holds other bytes than were sent, twice
  | "protocol"             // an answer that the API does not allow
  | "storage"              // of a warning: the resume record could not be kept
  | "worker";              // of `upload-session/worker`: there is no worker, or it ended

export class UploadError extends Error {
  readonly name: "UploadError";
  readonly code: UploadErrorCode;
  /** HTTP status, where there was an answer */ readonly status?: number;
  /** the API's own `type_name`, `detail`, `ref` */ readonly typeName?: string;
  readonly detail?: unknown;
  readonly ref?: string;
  readonly requestId?: string;
  readonly partNumber?: number;
  /** whether the same call may succeed later */ readonly retryable: boolean;
  readonly cause?: unknown;
}
