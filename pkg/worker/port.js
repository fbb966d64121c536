// Calls and messages between the page and its worker, both ways. Own code, as Comlink can mirror no property that is
// read at once, carries no field of an error but its message, and is a bare import that a page without a bundler
// cannot load.

import { UploadError } from "../index.js";

/** One end of the line. What the other end asks for is done by `handlers`, by name. */
export class Port {
  #target;
  #waiting = new Map();
  #last = 0;
  #failure;

  constructor(target, handlers) {
    this.#target = target;
    target.addEventListener("message", ({ data }) => this.#receive(data, handlers));
  }

  /** Has the other end do something; resolves to what that comes to, or rejects with what it throws. */
  call(name, ...args) {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const call = ++this.#last;
      this.#target.postMessage({ name, args, call });
      this.#waiting.set(call, { resolve, reject });
    });
  }

  /** Has the other end do something, whatever that comes to. */
  tell(name, ...args) {
    if (!this.#failure) this.#target.postMessage({ name, args });
  }

  /** Rejects every call that waits, and every one to come. */
  fail(error) {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #receive({ name, args, call, reply, value, error }, handlers) {
    if (reply !== undefined) {
      const waiting = this.#waiting.get(reply);
      this.#waiting.delete(reply);
      if (error) waiting?.reject(unpack(error));
      else waiting?.resolve(value);
    } else if (call === undefined) {
      handlers[name](...args);
    } else {
      this.#answer(call, handlers[name], args);
    }
  }

  async #answer(call, handler, args) {
    try {
      this.#target.postMessage({ reply: call, value: await handler(...args) });
    } catch (thrown) {
      this.#target.postMessage({ reply: call, error: pack(thrown) });
    }
  }
}

/** Makes plain data of what was thrown. What cannot be cloned leaves nothing but its kind. */
export function pack(thrown) {
  if (!(thrown instanceof UploadError)) return { thrown: cloneable(thrown) };
  return { message: thrown.message, fields: { ...thrown, cause: cloneable(thrown.cause) } };
}

export function unpack({ thrown, message, fields }) {
  return fields ? new UploadError(message, fields) : thrown;
}

function cloneable(value) {
  try {
    return structuredClone(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
