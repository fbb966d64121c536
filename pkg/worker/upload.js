// What the page keeps of an upload that runs in the worker.

import { UploadError } from "../index.js";
import { unpack } from "./port.js";

/** Its listeners, its properties as of the last message, and what the page's own functions threw. */
export class Upload {
  #listeners = [];
  #thrown = [];

  constructor(view) {
    this.view = view;
  }

  on(name, listener) {
    const entry = { name, listener };
    this.#listeners.push(entry);
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== entry);
    };
  }

  listensTo(name) {
    return this.#listeners.some((entry) => entry.name === name);
  }

  receive(name, detail, view) {
    Object.assign(this.view, view);
    this.tell(name, name === "retry" ? { ...detail, error: this.revive(unpack(detail.error)) } : detail);
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
    if (["done", "failed", "aborted"].includes(this.view.state)) return;
    this.view.state = "failed";
    this.tell("state", { state: "failed" });
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
