// Calls and messages between the page and its worker, both ways. Own code, as Comlink can mirror no property that is
// read at once, and carries no field of an error but its message.

import { UploadError } from "../upload_session.js";

/**
 * Opens one end of the line. What the other end asks for is done by `handlers`, by name. Returns what this end can do:
 * `call` resolves to what the other makes of it, or rejects with what that throws; `tell` is without an answer; `fail` rejects
 * every call that waits, and every one to come.
 */
export function open(target, handlers) {
  const waiting = new Map();
  let last = 0;
  let failure;

  // A message is the handler's name, the call's number where it is one, and the arguments.
  const tell = (name, ...args) => failure || target.postMessage([name, 0, ...args]);

  const call = (name, ...args) =>
    new Promise((resolve, reject) => {
      if (failure) throw failure;
      target.postMessage([name, ++last, ...args]);
      waiting.set(last, [resolve, reject]);
    });

  const answer = async (call, name, args) => {
    try {
      tell(SETTLE, call, await handlers[name](...args));
    } catch (thrown) {
      tell(SETTLE, call, undefined, pack(thrown));
    }
  };

  const settle = (call, value, error) => {
    const [resolve, reject] = waiting.get(call);
    waiting.delete(call);
    if (error) reject(unpack(error));
    else resolve(value);
  };

  target.addEventListener("message", ({ data: [name, call, ...args] }) => {
    if (failure) return;
    if (call) answer(call, name, args);
    else if (name === SETTLE) settle(...args);
    else handlers[name](...args);
  });

  const fail = (error) => {
    failure = error;
    for (const [, reject] of waiting.values()) reject(error);
  };

  return { call, tell, fail };
}

const SETTLE = "";

/** Makes plain data of what was thrown. What cannot be cloned leaves nothing but its kind. */
export const pack = (thrown) =>
  thrown instanceof UploadError
    ? [{ ...thrown, cause: cloneable(thrown.cause) }, thrown.message]
    : [cloneable(thrown)];

export const unpack = ([thrown, message]) => (message === undefined ? thrown : new UploadError(message, thrown));

function cloneable(value) {
  try {
    return structuredClone(value);
  } catch {
    return typeof value;
  }
}
