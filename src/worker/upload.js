// What the page keeps of an upload that runs in the worker.

import { UploadError } from "../upload_session.js";
import { unpack } from "./port.js";

/** Its listeners, its properties as of the last message, and the page's own functions with what they threw. */
export class Upload {
  #apiKey;
  #store;
  #listeners = [];
  #thrown = [];
  /** Whether anybody ever listened to parts, of which there are many events. */
  parts = false;
  /** What `UploadSession` tells of the upload; undefined until it is handed over to the worker. */
  view;

  constructor({ apiKey, store }) {
    this.#apiKey = apiKey;
    this.#store = store;
  }

  on(name, listener) {
    const entry = { name, listener };
    this.#listeners.push(entry);
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== entry);
    };
  }

  receive(name, detail, view) {
    Object.assign(this.view, view);
    if (name === "retry") detail.error = this.revive(unpack(detail.error));
    this.tell(name, detail);
  }

  tell(name, detail) {
    for (const entry of this.#listeners) {
      // An earlier listener may just have taken it off.
      if (entry.name !== name || !this.#listeners.includes(entry)) continue;
      try {
        entry.listener.call(undefined, detail);
      } catch (thrown) {
        console.error(`upload-session: a listener of "${name}" threw`, thrown);
      }
    }
  }

  /** The worker is gone, and the upload with it. */
  fail() {
    this.receive("state", { state: "failed" }, { state: "failed" });
  }

  /** Calls a function of the page's: a method of the store, or that of the token. */
  async ask(method, ...args) {
    try {
      if (method) return await this.#store[method](...args);
      const token = await this.#apiKey.call();
      // What is no string is refused there, as it would be here.
      return typeof token === "string" ? token : undefined;
    } catch (thrown) {
      throw this.standIn(thrown);
    }
  }

  /** Stands in the worker for what was thrown on the page, which may be nothing that can be cloned. */
  standIn(thrown) {
    const { name } = Object(thrown);
    return { name: typeof name === "string" ? name : undefined, thrownByPage: this.#thrown.push(thrown) - 1 };
  }

  /** Gives an error of the worker's the very cause that was thrown on the page. */
  revive(error) {
    const at = error?.cause?.thrownByPage;
    return at === undefined ? error : new UploadError(error.message, { ...error, cause: this.#thrown[at] });
  }
}
