// Files that do not come from a page: a stream that a program sends, or what lies under an address.

import { ingest } from "upload-session/edge";
import { Refusal, stored } from "./answers.js";
import { fetchListed } from "./remote.js";
import { optional, required, words } from "./settings.js";

const MAX_ORDER_BYTES = 8192;
/** What one ingest may hold, in bytes: an isolate has 128 MB for all the requests that it serves at a time. */
const MEMORY_BUDGET = 25_165_824;
/** A caller waits for the answer: what fails for a minute is told. */
const RETRIES = {
  strategy: "backoff",
  backoff: { initialInterval: 500, maxInterval: 10_000, exponent: 1.5, maxElapsedTime: 60_000 },
};

/** `PUT /ingest?name=…&folder=…`, the file as the body. Without a folder it is the first of the grant's, or the root. */
export async function ingestBody(request, env, context, grant) {
  const query = new URL(request.url).searchParams;
  const name = query.get("name");
  if (!name) throw new Refusal(400, "RequestValidationError", "The query has no name for the file.");
  const source = { body: request.body ?? emptyStream(), size: contentLength(request.headers), name, folder: query.get("folder") };
  return store(source, request, env, context, grant);
}

/** `POST /ingest-from-url`, JSON {url, name?, folder?}; the name is the last piece of the address unless given. */
export async function ingestFromUrl(request, env, context, grant) {
  const { url, name, folder } = await readOrder(request);
  const { response, body } = await fetchListed(url, words(env, "INGEST_HOSTS"), request.signal);
  // What is encoded has another length once it is decoded, as it is by now.
  const size = response.headers.has("content-encoding") ? null : contentLength(response.headers);
  return store({ body, size, name: name ?? nameOf(url), folder }, request, env, context, grant);
}

/** Stores a source as the grant allows; resolves to the answer. */
async function store({ body, size, name, folder }, request, env, context, grant) {
  let source = body;
  let limit;
  try {
    const options = {
      name,
      size,
      parentFolderId: folderFor(folder, grant),
      serviceId: serviceFor(request, grant),
      driveId: grant.driveId,
      consumerId: grant.consumerId,
      serverUrl: optional(env, "UPSTREAM", "https://upload.apideck.com"),
      apiKey: required(env, "APIDECK_API_KEY"),
      appId: required(env, "APIDECK_APP_ID"),
      signal: request.signal,
      memoryBudget: MEMORY_BUDGET,
      retries: RETRIES,
    };
    if (size > (grant.maxFileSize ?? Infinity)) throw tooLarge(grant);
    if (size === null && grant.maxFileSize !== undefined) {
      limit = atMost(grant.maxFileSize);
      source = body.pipeThrough(limit.transform);
    }
    const ingesting = ingest(source, options);
    // Where the caller goes away, the session is still to be deleted.
    context?.waitUntil?.(ingesting.catch(() => {}));
    return stored(await ingesting);
  } catch (error) {
    if (!source.locked) source.cancel().catch(() => {});
    throw limit?.isExceeded ? tooLarge(grant) : error;
  }
}

function folderFor(folder, { parentFolderIds }) {
  const chosen = folder ?? parentFolderIds?.[0] ?? "root";
  if (parentFolderIds && !parentFolderIds.includes(chosen)) throw new Refusal(403, "ForbiddenError", "That folder is not granted.");
  return chosen;
}

function serviceFor(request, { serviceId }) {
  const asked = request.headers.get("x-apideck-service-id") ?? undefined;
  if (asked !== undefined && !/^[a-z0-9-]{1,64}$/.test(asked)) {
    throw new Refusal(400, "RequestHeadersValidationError", "x-apideck-service-id names no service.");
  }
  if (serviceId && asked && serviceId !== asked) throw new Refusal(403, "ForbiddenError", "That service is not granted.");
  return serviceId ?? asked;
}

/** Counts bytes as they pass, and breaks the stream off where there are too many. */
function atMost(bytes) {
  let left = bytes;
  const limit = { isExceeded: false };
  limit.transform = new TransformStream({
    transform(chunk, controller) {
      left -= chunk.byteLength;
      if (left >= 0) return controller.enqueue(chunk);
      limit.isExceeded = true;
      controller.error(new Error("too large"));
    },
  });
  return limit;
}

function tooLarge({ maxFileSize }) {
  return new Refusal(413, "RequestValidationError", `A file may have ${maxFileSize} bytes at most.`);
}

/** Reads what is ordered. Only JSON is taken, which a form of another site cannot send. */
async function readOrder(request) {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
    throw new Refusal(415, "RequestHeadersValidationError", "What is to be fetched is told in JSON: {url, name?, folder?}.");
  }
  const order = parseObject(await readText(request.body ?? emptyStream(), MAX_ORDER_BYTES));
  const isText = (value) => typeof value === "string" && value !== "";
  const isFine = isText(order?.url) && ["name", "folder"].every((field) => order[field] === undefined || isText(order[field]));
  if (!isFine) throw new Refusal(400, "RequestValidationError", "The body is to be {url, name?, folder?}, all of them text.");
  return order;
}

function parseObject(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(stream, most) {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.byteLength;
    if (length > most) throw new Refusal(413, "RequestValidationError", `The body may have ${most} bytes at most.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Returns the length that a message's headers declare; null where they do not. */
function contentLength(headers) {
  const value = headers.get("content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

function nameOf(url) {
  const last = new URL(url).pathname.split("/").at(-1);
  try {
    return decodeURIComponent(last) || "file";
  } catch {
    return last;
  }
}

function emptyStream() {
  return new Response("").body;
}
