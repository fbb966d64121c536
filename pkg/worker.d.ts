/**
 * The public surface of `upload-session/worker`: the same names as `upload-session`, with the uploads in a dedicated
 * worker, one for the whole page, whose own thread stays free.
 *
 * What differs: `state`, `progress`, `id` and `snapshot()` are as of the worker's last message, so that an event may still
 * come between `pause()` or `abort()` and what follows from it. Options that are no functions are copied when a session is
 * made. The functions of `apiKey` and `store`, and the `signal`, stay on the page and are called there. Where the worker
 * ends, what waits for it rejects with `worker`.
 *
 * @module upload-session/worker
 */

export * from "./index.js";

/** Where the worker comes from. */
export interface WorkerOptions {
  /**
   * Starts the worker, of the script `upload-session/worker/thread`, as a module or bundled. By default it is the package's
   * own, by `new Worker(new URL("./thread.js", import.meta.url), { type: "module" })`, which Vite and webpack 5 know; other
   * bundlers take the script as one more entry point.
   */
  worker?: () => Worker;
}

/**
 * Loads and compiles the WebAssembly module, and starts the worker with it. Idempotent; must resolve before anything else
 * is used. Without `input` it fetches the `.wasm` file of the package. Rejects with the code `worker` where the worker
 * cannot be started; where it ended, the next call starts another one, for the sessions that are made from then on.
 */
export default function init(input?: unknown, options?: WorkerOptions): Promise<unknown>;
