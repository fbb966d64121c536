// Answers in the API's envelopes, so that a caller reads one kind of error only.

import { UploadError } from "upload-session/edge";
import { Misconfigured } from "./settings.js";

/** Statuses of failures that upstream had no part in, or whose status would mean something else to the caller. */
const STATUS_OF_CODE = {
  // The worker's own key was refused: that is no fault of a caller who is signed in.
  unauthorized: 502,
  aborted: 400,
  file_changed: 400,
  file_too_large: 413,
  timeout: 504,
};

const NOT_SET_UP = "The upload edge failed, or is not set up; its log says more.";

/** Why a request is not done, in words that the caller may read. */
export class Refusal extends Error {
  constructor(status, typeName, detail, headers = {}) {
    super(detail);
    this.status = status;
    this.typeName = typeName;
    this.headers = headers;
  }
}

/** Makes a refusal of whatever was thrown. What is not meant for callers goes to the log, without any text of others. */
export function refusalOf(error) {
  if (error instanceof Refusal) return error;
  if (error instanceof UploadError) return refusalOfUpload(error);
  if (!(error instanceof Misconfigured)) console.error(`failed: ${error?.name} ${error?.code ?? ""}`);
  return new Refusal(500, "UnexpectedError", NOT_SET_UP);
}

/** Options of an ingest that are the caller's; all others are the deployment's. */
const CALLERS_OPTION = /^`(name|size|parentFolderId)`/;

function refusalOfUpload({ code, status, message, requestId }) {
  const headers = requestId ? { "request-id": requestId } : {};
  if (code === "invalid_argument") {
    // It names an option and what it takes, never a value.
    if (CALLERS_OPTION.test(message)) return new Refusal(400, "RequestValidationError", message);
    console.error(`ingest is not set up as it must be: ${message}`);
    return new Refusal(500, "UnexpectedError", NOT_SET_UP, headers);
  }
  // An answer that the API must not give may well have had the status of a success.
  const answered = STATUS_OF_CODE[code] ?? (status >= 400 ? status : 502);
  if (answered >= 500) console.error(`ingest: ${code}${status ? `, upstream answered ${status}` : ""}`);
  // Messages may quote upstream.
  return new Refusal(answered, "UploadError", `The file could not be stored: ${code}.`, headers);
}

const REASONS = {
  400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
  411: "Length Required", 413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
  429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
};

/** Answers a refusal. */
export function answer({ status, typeName, message, headers }) {
  const error = REASONS[status] ?? "Error";
  return json(status, { status_code: status, error, type_name: typeName, message: error, detail: message, ref: "" }, headers);
}

/** Answers that a file was stored. */
export function stored(file) {
  return json(201, { status_code: 201, status: "Created", data: file });
}

function json(status, body, headers) {
  return Response.json(body, { status, headers: { ...headers, "cache-control": "no-store" } });
}
