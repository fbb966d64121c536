// PUT /ingest of the example worker: a stream into the caller's folder, held to the caller's grant.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { API_KEY, bearer, claims, jwt, startExample, until } from "./example.js";
import { exchange, request } from "./raw.js";

const PART_SIZE = 1_000_000;
/** More than goes in one request. */
const FILE = randomBytes(5_500_000);
const SHA1 = createHash("sha1").update(FILE).digest("hex");

let example;

before(async () => {
  example = await startExample({ worker: {}, misled: { UPSTREAM: "ftp://files.example" } });
});
after(() => example?.stop());
beforeEach(async () => {
  await example.emulator.reset();
  await example.emulator.settings({ part_size: PART_SIZE });
});

/** A body without a length: it is sent in chunks. */
function streamed(bytes = FILE) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, (at += 65_536)));
    },
  });
}

function put(body, { query = "name=report.pdf", upload, headers = {} } = {}) {
  const duplex = body instanceof ReadableStream ? { duplex: "half" } : {};
  const init = { method: "PUT", headers: { ...bearer(jwt(claims({ upload }))), ...headers }, body, ...duplex };
  return fetch(`${example.worker}/ingest?${query}`, init);
}

async function refusal(answer, status) {
  const body = await answer.json();
  assert.equal(answer.status, status, JSON.stringify(body));
  assert.equal(body.status_code, status);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  return body;
}

async function assertStored(answer, about = {}) {
  const body = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(body));
  const info = await example.emulator.info(body.data.id);
  assert.equal(info.sha1, SHA1);
  assert.equal(info.consumer_id, "alice");
  for (const [field, value] of Object.entries({ name: "report.pdf", size: FILE.length, ...about })) assert.equal(info[field], value, field);
}

async function assertNothingUpstream() {
  const { requests } = await example.emulator.stats();
  assert.deepEqual(Object.values(requests).filter((count) => count > 0), []);
}

test("a body of known length arrives in parts, byte for byte", async () => {
  await assertStored(await put(FILE));
  const stats = await example.emulator.stats("alice");
  assert.equal(stats.parts_accepted, 6);
  assert.equal(stats.sessions_open, 0);
});

test("a body of unknown length does, too", async () => {
  await assertStored(await put(streamed()));
  assert.equal((await example.emulator.stats("alice")).parts_accepted, 6);
});

test("an empty body is an empty file", async () => {
  const answer = await put(new Uint8Array());
  assert.equal(answer.status, 201);
  assert.equal((await example.emulator.info((await answer.json()).data.id)).size, 0);
});

test("the caller chooses storage and folder where the grant leaves both open", async () => {
  const headers = { "x-apideck-service-id": "dropbox" };
  await assertStored(await put(FILE, { query: "name=report.pdf&folder=inbox", headers }), { parent_folder_id: "inbox", service: "dropbox" });
});

test("a grant's storage, drive and first folder are where the file goes", async () => {
  const upload = { serviceId: "onedrive", driveId: "drive-1", parentFolderIds: ["shared", "other"] };
  await assertStored(await put(FILE, { upload }), { parent_folder_id: "shared", drive_id: "drive-1", service: "onedrive" });
});

test("a folder, or a storage, that is not granted is refused", async () => {
  const upload = { serviceId: "box", parentFolderIds: ["shared"] };
  await refusal(await put("abc", { upload, query: "name=a&folder=root" }), 403);
  await refusal(await put("abc", { upload, headers: { "x-apideck-service-id": "dropbox" } }), 403);
  await refusal(await put("abc", { headers: { "x-apideck-service-id": "drop box" } }), 400);
  await assertNothingUpstream();
});

test("a file that says it is too large is refused before it is sent", async () => {
  const headers = { ...bearer(jwt(claims({ upload: { maxFileSize: FILE.length - 1 } }))), "Content-Length": FILE.length };
  const [answer] = await exchange(example.worker, request("PUT", "/ingest?name=a.bin", headers), ["PUT"]);
  assert.equal(answer.status, 413);
  assert.equal(JSON.parse(answer.body).status_code, 413);
  await assertNothingUpstream();
});

test("a file that turns out to be too large is broken off, and leaves nothing", async () => {
  await refusal(await put(streamed(), { upload: { maxFileSize: FILE.length - 1 } }), 413);
  const stats = await example.emulator.stats("alice");
  assert.equal(stats.requests.create, 1);
  assert.equal(stats.requests.finish, 0);
  assert.equal(stats.sessions_open, 0);
});

test("a file may be as large as is granted, known or not", async () => {
  const upload = { maxFileSize: FILE.length };
  await assertStored(await put(FILE, { upload }));
  await assertStored(await put(streamed(), { upload }));
});

test("a file without a name, or with one that is none, is refused", async () => {
  await refusal(await put("abc", { query: "" }), 400);
  await refusal(await put("abc", { query: "name=" }), 400);
  await refusal(await put("abc", { query: "name=a%0D%0Ax-apideck-app-id:%20b" }), 400);
  await assertNothingUpstream();
});

test("pages of other origins are refused, signed in or not", async () => {
  const foreign = [
    { origin: "https://evil.example" }, { origin: "null" }, { origin: example.worker.replace("http:", "https:") },
    { origin: "null", "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    const answer = await put("abc", { headers });
    await refusal(answer, 403);
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  }
  await assertNothingUpstream();
});

test("pages of the worker's own origin are not", async () => {
  await assertStored(await put(FILE, { headers: { origin: example.worker } }));
  await assertStored(await put(FILE, { headers: { origin: "https://app.example.com", "sec-fetch-site": "same-origin" } }));
});

test("other methods and paths beside it are no routes", async () => {
  for (const [method, path] of [["POST", "/ingest"], ["GET", "/ingest"], ["PUT", "/ingest/"], ["PUT", "//ingest"], ["GET", "/ingest-from-url"]]) {
    const body = method === "GET" ? undefined : "abc";
    await refusal(await fetch(`${example.worker}${path}?name=a`, { method, headers: bearer(), body }), 404);
  }
  await assertNothingUpstream();
});

test("an upstream that fails is told in the API's envelope, without its words and without the key", async () => {
  const words = `the key ${API_KEY} is wrong`;
  // A small file: of a large one the answer comes while it is still being sent, and may be lost with the connection.
  await example.emulator.fault("direct", { kind: "status", status: 401, body: words });
  const body = await refusal(await put("abc"), 502);
  assert.ok(!JSON.stringify(body).includes(API_KEY) && !JSON.stringify(body).includes("is wrong"), JSON.stringify(body));
  await until(() => example.logs.join("").includes("ingest: unauthorized, upstream answered 401"));
});

test("an upstream that answers with success and no file is a 502, whatever its status was", async () => {
  for (const [status, body] of [[201, { status_code: 201, data: {} }], [200, "<html>"], [204, ""], [304, ""]]) {
    await example.emulator.fault("finish", { kind: "status", status, body });
    await refusal(await put(FILE), 502);
  }
});

test("what the deployment is at fault for is not told as the caller's", async () => {
  const answer = await fetch(`${example.misled}/ingest?name=a`, { method: "PUT", headers: bearer(), body: FILE });
  const { detail } = await refusal(answer, 500);
  assert.ok(!detail.includes("serverUrl"), detail);
});

test("a caller who goes away leaves no session", { timeout: 60_000 }, async () => {
  const { hostname, port } = new URL(example.worker);
  const headers = { ...bearer(), "content-length": FILE.length };
  const caller = httpRequest({ hostname, port, method: "PUT", path: "/ingest?name=a.bin", headers });
  caller.on("error", () => {});
  caller.write(FILE.subarray(0, 4_500_000));
  await until(async () => (await example.emulator.stats("alice")).parts_accepted >= 1);
  caller.destroy();
  await until(async () => (await example.emulator.stats("alice")).sessions_open === 0);
  assert.equal((await example.emulator.stats("alice")).requests.finish, 0);
});
