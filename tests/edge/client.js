// A plain client of the API, as it goes through the proxy: fetch, and nothing else.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import { Readable } from "node:stream";

import { SESSIONS } from "./stage.js";

export const digest = (bytes) => `sha=${createHash("sha1").update(bytes).digest("base64")}`;

/** Reads an answer of the API; it must have this status. */
export async function read(answer, status) {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  return JSON.parse(text);
}

/** Asserts that an answer is an error in the API's envelope, and returns it. */
export async function readError(answer, status) {
  assert.equal(answer.headers.get("content-type"), "application/json");
  const error = await read(answer, status);
  assert.deepEqual(Object.keys(error).sort(), ["detail", "error", "message", "ref", "status_code", "type_name"]);
  assert.equal(error.status_code, status);
  return error;
}

/** Creates a session, and returns the answer's data. */
export async function create(proxy, { service, basePath = "", ...init } = {}, fields = {}) {
  const headers = { "content-type": "application/json", ...(service && { "x-apideck-service-id": service }) };
  const body = JSON.stringify({ name: "a.bin", parent_folder_id: "root", size: 1000, ...fields });
  return (await read(await proxy.fetch(basePath + SESSIONS, { ...init, method: "POST", headers, body }), 201)).data;
}

/** Uploads bytes part by part, and returns the file. */
export async function upload(proxy, bytes, { service, login, basePath = "" } = {}) {
  const headers = service ? { "x-apideck-service-id": service } : {};
  const { id } = await create(proxy, { service, login, basePath }, { name: "Größe 💾.bin", size: bytes.length });
  const session = `${basePath}${SESSIONS}/${encodeURIComponent(id)}`;
  const ask = (path, status, init) =>
    proxy
      .fetch(session + path, { login, ...init, headers: { ...headers, ...init?.headers } })
      .then((answer) => read(answer, status));
  const { data } = await ask("", 200);
  assert.equal(data.id, id);
  for (let number = 0; number * data.part_size < bytes.length; number++) {
    const body = bytes.subarray(number * data.part_size, (number + 1) * data.part_size);
    const part = { method: "PUT", body, headers: { digest: digest(body), "content-type": "application/octet-stream" } };
    assert.equal((await ask(`?part_number=${number}`, 200, part)).data.id, id);
  }
  return (
    await ask("/finish", 201, {
      method: "POST",
      body: "{}",
      headers: { digest: digest(bytes), "content-type": "application/json" },
    })
  ).data;
}

const CHUNK = Buffer.alloc(64 * 1024);

/** What `send` gives as the status where the connection was reset before an answer could be read. */
export const UNHEARD = 0;

/** Sends a part of so many zeros as a stream; resolves with the answer, which may come before all of it has gone. */
export async function send(proxy, path, size, headers = {}) {
  const all = { authorization: "Bearer alice", "content-length": size, ...headers };
  const request = http.request(proxy.url + path, { method: "PUT", headers: all, agent: false });
  const answered = new Promise((resolve, reject) => request.once("response", resolve).on("error", reject));
  const zeros = Readable.from(chunks(size));
  zeros.pipe(request);
  try {
    const answer = await answered;
    const text = await new Response(Readable.toWeb(answer)).text();
    return { status: answer.statusCode, headers: answer.headers, text };
  } catch (error) {
    // A server that closes with bytes unread resets the connection, and its answer may be lost with it (RFC 9112, 9.6).
    if (["ECONNRESET", "EPIPE"].includes(error.code)) return { status: UNHEARD };
    throw error;
  } finally {
    zeros.destroy();
    request.destroy();
  }
}

function* chunks(size) {
  for (let rest = size; rest > 0; rest -= CHUNK.length) yield CHUNK.subarray(0, Math.min(rest, CHUNK.length));
}
