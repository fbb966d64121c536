// What a person reads: states, errors, warnings and retries in words.

import { bytes, count, delay, size } from "./format.js";

/** One line for each UploadState. */
export const STATE_WORDS = {
  idle: "Waiting for its turn",
  starting: "Opening a session",
  uploading: "Uploading",
  paused: "Paused",
  waiting: "Offline: goes on by itself",
  finishing: "Putting it together",
  done: "Uploaded",
  failed: "Failed",
  aborted: "Aborted",
};

const ERROR_WORDS = {
  invalid_argument: "This file or one of the settings cannot be used.",
  bad_request: "The server did not accept the request.",
  unauthorized: "The server does not accept these credentials. Sign in again, then retry.",
  payment_required: "The account behind this upload has reached what its plan allows.",
  forbidden: "This account may not store files here.",
  not_found: "The folder or the upload is not there any more.",
  conflict: "Something of the same name is already there, or is being written at the moment.",
  unprocessable: "The server understood the request, but cannot carry it out.",
  rate_limited: "The server asks for fewer requests. Wait a little, then retry.",
  server_error: "The server had a problem of its own, again and again. Retry later.",
  http_error: "The server refused the request.",
  network: "The server cannot be reached. Check the connection, then retry.",
  timeout: "The server took too long to answer. Check the connection, then retry.",
  aborted: "The upload was aborted.",
  session_expired: "The server no longer knows this upload: it expired, or was removed there. Retry starts over.",
  file_changed: "The file was changed, moved or deleted since it was chosen. Pick it again.",
  file_too_large: "The file has more parts than this storage takes.",
  digest_mismatch: "The bytes that arrived are not those that were sent, twice in a row. Nothing was stored.",
  protocol: "The server gave an answer that makes no sense here.",
  storage: "The browser could not keep its notes about this upload.",
};

/** What the same file meets again, however often it is tried. */
const LASTING = ["invalid_argument", "file_changed", "file_too_large"];

const isTooSmall = (error, file, service) =>
  ["bad_request", "unprocessable", "http_error"].includes(error.code) && file.size < service.minimumSize;

/** Tells whether trying the same file on the same storage again can end otherwise. */
export function canRetry(error, file, service) {
  return !LASTING.includes(error.code) && !isTooSmall(error, file, service);
}

/** Tells whether another tab has the same upload in hand; a conflict with a status is the server's own. */
export const isElsewhere = (error) => error.code === "conflict" && error.status === undefined;

/** Says in a sentence or two what went wrong, for the person who chose the file; `isResumed` where it was to go on. */
export function errorSentence(error, file, service, isResumed) {
  if (isElsewhere(error)) {
    return "This file is already being uploaded in another tab. Retry takes it over once that is closed.";
  }
  if (error.code === "file_changed" && isResumed) {
    return "This is not the file whose upload was left off, or it was changed, moved or deleted since. Pick it again, as it was, to go on.";
  }
  if (error.code === "invalid_argument" && (file.name === "" || /\p{Cc}/u.test(file.name))) {
    return "The file's name is empty or has control characters in it. Rename the file, then choose it again.";
  }
  if (isTooSmall(error, file, service)) {
    return `${service.name} opens upload sessions for files of ${size(service.minimumSize)} and more; this one has ${size(file.size)}. Choose another storage for it.`;
  }
  return ERROR_WORDS[error.code] ?? "Something unexpected went wrong on this page.";
}

/** The facts behind the sentence, as pairs of a term and its text; what is not known is left out. */
export function errorFacts(error) {
  const detail = typeof error.detail === "object" ? JSON.stringify(error.detail) : error.detail;
  return [
    ["Code", error.code],
    ["HTTP status", error.status],
    ["Type", error.typeName],
    ["Request id", error.requestId],
    ["Part", error.partNumber],
    ["Message", error.message],
    ["Detail", detail],
    ["More at", error.ref],
  ].filter(([, text]) => text !== undefined && text !== null && text !== "");
}

const WARNING_WORDS = {
  memory_budget: "A part is larger than the memory set aside for it: parts are sent straight from the file.",
  session_not_deleted: "The server could not be told to forget the upload. What was sent may stay there until it expires.",
  file_id_unknown: "The file is stored, but the answer that named it was lost.",
  possible_duplicate: "An answer was lost, and the file was sent again: it may be there twice.",
  restarted: "The server has lost the upload. It begins again from the start.",
  storage: "The browser cannot keep its notes about this upload. It runs on, but would not survive a reload.",
};

/** Says what does not stop the upload. */
export function warningSentence({ code, message }) {
  return WARNING_WORDS[code] ?? message;
}

/** Says from where an upload goes on that was left off. */
export function resumedSentence({ confirmed, parts }) {
  return `Goes on where it was left off: ${count(parts.done, "part")} of ${parts.total.toLocaleString("en")} (${bytes(confirmed)}) need not be sent again.`;
}

/** Said where nothing was left to go on with. */
export const GONE_SENTENCE = "The server no longer has what was sent before: the upload begins anew.";

const OPERATION_WORDS = {
  direct: "Sending the file",
  create: "Opening the session",
  get: "Asking for the session",
  finish: "Putting the file together",
  delete: "Deleting the session",
};

const CAUSE_WORDS = {
  network: "connection lost",
  timeout: "no answer in time",
  digest_mismatch: "bytes changed on the way",
};

/** Says what is tried again, why and when, e.g. "Part 4: 503, trying again in 0.8 s" (at once, where it is less than 0.05 s). */
export function retrySentence({ operation, partNumber, delay: wait, error }) {
  const what = operation === "upload" ? `Part ${partNumber}` : OPERATION_WORDS[operation];
  const why = error.status ?? CAUSE_WORDS[error.code] ?? error.code;
  return `${what}: ${why}, trying again ${wait < 50 ? "at once" : `in ${delay(wait)}`}`;
}
