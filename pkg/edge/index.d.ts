/**
 * The public surface of `upload-session/edge`: the same package on an edge runtime.
 * It needs only what every WinterTC runtime has: fetch, Request, Response, streams and WebCrypto. Tested on workerd and Node 20.
 *
 * Sizes are in bytes, times in milliseconds. docs/edge.md tells how to deploy it.
 *
 * @module upload-session/edge
 */

import type { UploadOptions, UnifiedFile, Progress } from "upload-session";

export { UploadError } from "upload-session";

/**
 * Takes the compiled module, as Workers import it: `import wasm from "upload-session/edge.wasm"`. Idempotent; must resolve
 * before anything else is used.
 */
export function init(module: WebAssembly.Module | BufferSource): Promise<void>;

/** What one caller may do. */
export interface Grant {
  /** whose storage it is; every session is tied to it */
  consumerId: string;
  /** the one connector this caller may use; where left out, the caller's own x-apideck-service-id is passed on */
  serviceId?: string;
  /** folders that a file may be created in; any, where left out */
  parentFolderIds?: string[];
  /** the drive that files go to: another is refused, and where the caller names none it is this one */
  driveId?: string;
  /** bytes; a file of unknown size is refused then */
  maxFileSize?: number;
}

type FromEnv<T, Env> = T | ((env: Env) => T | Promise<T>);

/**
 * What a proxy is told. A value may be given as it is, or as a function of the environment, which is asked for each request:
 * `(env) => env.APIDECK_API_KEY`.
 */
export interface UploadProxyOptions<Env = unknown> {
  /** address of the API; default "https://upload.apideck.com" */
  upstream?: FromEnv<string, Env>;
  /** Apideck's secret key, which no answer and no log ever has */
  apiKey: FromEnv<string, Env>;
  /** the application at Apideck: the header `x-apideck-app-id` */
  appId: FromEnv<string, Env>;
  /**
   * 32 bytes or more; a session id that leaves the proxy is signed with it for the consumer it was made for. Of a list the
   * first signs and all are accepted, so that a secret can be replaced while uploads go on.
   */
  sessionSecret: FromEnv<string | readonly string[], Env>;
  /**
   * Who is calling. null answers 401; whatever it throws answers 500, and is logged without its message. Bring
   * your own: a cookie, a JWT, an access proxy's header. It takes the time it takes. The request is a copy without its body.
   */
  authorize(request: Request, env: Env): Grant | null | Promise<Grant | null>;
  /** exact origins that may call across origins; none, where left out (same origin only) */
  allowedOrigins?: string[];
  /** path under which the proxy is mounted, default "/" */
  basePath?: string;
  /** most bytes of one part, and of a file that goes in one request; default 104_857_600, which is also the most */
  maxPartSize?: number;
  /**
   * how long the API may take to answer once it has the whole request, default 50_000; 504 after it. While a part is still
   * being passed on, its caller decides how long that may take: where it goes away, the request to the API is cancelled. On
   * Workers that takes the compatibility flag `enable_request_signal`.
   */
  timeout?: number;
}

/**
 * A fetch handler: `export default { fetch: createUploadProxy({...}) }`. Holds no state between requests.
 * Throws at once where an option is off. Where a value from the environment is, requests are answered 500 and the
 * reason, without the value, goes to console.error.
 */
export function createUploadProxy<Env = unknown>(
  options: UploadProxyOptions<Env>,
): (request: Request, env: Env, context?: unknown) => Promise<Response>;

/** What {@link ingest} is told: what an upload from a page is, but for what a stream cannot do. */
export interface IngestOptions extends Omit<UploadOptions, "body" | "transport" | "store" | "direct" | "restart"> {
  /** name of the file to be, not empty, without control characters */
  name: string;
  /** bytes; null where the source does not tell */
  size: number | null;
  /** While the size is not known, `total` and `parts.total` are what was read so far, and `secondsRemaining` is null. */
  onProgress?: (progress: Progress) => void;
}

/**
 * Uploads a stream (a request's body, another fetch's body, an R2 object): a small one in one request, any other through an
 * upload session, a part at a time, several side by side where the session allows. Parts are held until they are
 * acknowledged, and sent again from memory; no more of the source is read than `memoryBudget` may hold. Of unknown
 * size, the first 4 MB (to Box 20 MB) are read ahead, as the size decides how to begin.
 *
 * A session whose parts `memoryBudget` cannot hold is refused (`invalid_argument`); with `digest: "none"` and a known size its
 * parts are passed on as they come, one after the other, and a failure is final.
 *
 * Rejects with an UploadError. `invalid_argument` for an option or a source that is off: the source is left as it was. Once it
 * is being read, whatever fails, by `signal` too, cancels it and deletes the session first. `network` where the source fails:
 * `cause` is its error. `file_changed` where it has fewer or more bytes than `size`; `file_too_large` where one of unknown
 * size goes on after 10_001 parts.
 */
export function ingest(source: ReadableStream<Uint8Array>, options: IngestOptions): Promise<UnifiedFile>;
