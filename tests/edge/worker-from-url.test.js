// POST /ingest-from-url of the example worker: what it fetches, and above all what it does not.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";

import { bearer, claims, jwt, startExample, until } from "./example.js";
import { Connection, request } from "./raw.js";

const FILE = randomBytes(2_500_000);
const sha1 = (bytes) => createHash("sha1").update(bytes).digest("hex");
const TEXT = Buffer.from("so many words ".repeat(100_000));
const ZIPPED = gzipSync(TEXT);

/** Lists of hosts that cannot be meant so. */
const WRONG_LISTS = ["files.example/x", "Files.example", "*.example", "https://files.example", "files.example:8443", "127.0.0.1", "[::1]"];

let example;
/** Settles once nobody waits for the file that stalls. */
let stalled;

/** The internet: every host answers the same. */
function serve(request, response, { pathname, searchParams }) {
  const redirect = (location, status = 302) => response.writeHead(status, { location }).end();
  if (pathname === "/files/report%20one.pdf" || pathname === "/file") return response.setHeader("content-length", FILE.length).end(FILE);
  if (pathname === "/chunked") return response.writeHead(200).write(FILE, () => response.end());
  if (pathname === "/gzip") return response.writeHead(200, { "content-encoding": "gzip", "content-length": ZIPPED.length }).end(ZIPPED);
  if (pathname === "/stalls") {
    stalled = new Promise((resolve) => response.once("close", resolve));
    return response.writeHead(200, { "content-length": 20_000_000 }).write(Buffer.alloc(10_000_000));
  }
  if (pathname === "/to") return redirect(searchParams.get("to"), Number(searchParams.get("status") ?? 302));
  if (pathname === "/down") return redirect(searchParams.get("left") === "0" ? "/file" : `/down?left=${searchParams.get("left") - 1}`);
  if (pathname === "/loop") return redirect("/loop");
  if (pathname === "/nowhere") return response.writeHead(302).end();
  response.writeHead(404).end("not here, and this text is nobody's business");
}

before(async () => {
  const wrong = Object.fromEntries(WRONG_LISTS.map((list) => [list, { INGEST_HOSTS: list }]));
  example = await startExample({ worker: {}, closed: { INGEST_HOSTS: null }, ...wrong }, serve);
});
after(() => example?.stop());
beforeEach(async () => {
  await example.emulator.reset();
  await example.emulator.settings({ part_size: 1_000_000 });
  example.asked.length = 0;
});

function order(body, { upload, headers = {}, worker = example.worker } = {}) {
  const all = { ...bearer(jwt(claims({ upload }))), "content-type": "application/json", ...headers };
  return fetch(`${worker}/ingest-from-url`, { method: "POST", headers: all, body: typeof body === "string" ? body : JSON.stringify(body) });
}

async function refused(answer, status) {
  const body = await answer.json();
  assert.equal(answer.status, status, JSON.stringify(body));
  assert.equal(body.status_code, status);
  const { requests } = await example.emulator.stats();
  assert.deepEqual(Object.values(requests).filter((count) => count > 0), [], "something went upstream");
  return body;
}

async function stored(answer) {
  const body = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(body));
  return example.emulator.info(body.data.id);
}

test("a file of a listed host is stored under the last piece of its address", async () => {
  const info = await stored(await order({ url: "https://files.example/files/report%20one.pdf?token=1" }));
  assert.equal(info.sha1, sha1(FILE));
  assert.equal(info.name, "report one.pdf");
  assert.equal(info.consumer_id, "alice");
});

test("a file is stored under a name and in a folder that are given", async () => {
  const info = await stored(await order({ url: "https://files.example/file", name: "mine.pdf", folder: "inbox" }));
  assert.deepEqual([info.name, info.parent_folder_id], ["mine.pdf", "inbox"]);
});

test("a file of unknown length is stored", async () => {
  assert.equal((await stored(await order({ url: "https://files.example/chunked" }))).sha1, sha1(FILE));
});

test("what is compressed on the way is stored as it is meant, whatever its length says", async () => {
  assert.equal((await stored(await order({ url: "https://files.example/gzip" }))).sha1, sha1(TEXT));
});

test("nothing of the caller's request goes to the host", async () => {
  await stored(await order({ url: "https://files.example/file" }, { headers: { cookie: "theme=dark", "x-apideck-service-id": "dropbox" } }));
  const [{ headers }] = example.asked;
  for (const name of ["authorization", "cookie", "x-apideck-service-id", "x-apideck-app-id", "origin"]) assert.equal(headers[name], undefined, name);
});

const notListed = {
  "a host that is not listed": "https://other.example/file",
  "a host whose name ends like a listed one": "https://evilfiles.example/file",
  "a host below a listed one": "https://sub.files.example/file",
  "a listed host with a dot behind it": "https://files.example./file",
  "an IPv4 address": "https://127.0.0.1/file",
  "an IPv4 address in disguise": "https://0x7f.1/file",
  "the address of a cloud's metadata": "https://169.254.169.254/latest/meta-data",
  "an IPv6 address": "https://[::1]/file",
  "the name of this machine": "https://localhost/file",
  "another port": "https://files.example:8443/file",
};
for (const [what, url] of Object.entries(notListed)) {
  test(`${what} is not asked`, async () => {
    await refused(await order({ url }), 403);
    assert.deepEqual(example.asked, []);
  });
}

const noAddress = {
  "plain http": "http://files.example/file",
  "credentials": "https://user:password@files.example/file",
  "a user without a password": "https://files.example@other.example/file",
  "another scheme": "file:///etc/passwd",
  "data": "data:text/plain,abc",
  "no address": "files.example/file",
};
for (const [what, url] of Object.entries(noAddress)) {
  test(`an address with ${what} is refused`, async () => {
    await refused(await order({ url }), 400);
    assert.deepEqual(example.asked, []);
  });
}

test("the default port may be written out", async () => {
  assert.equal((await stored(await order({ url: "https://files.example:443/file" }))).sha1, sha1(FILE));
});

test("redirects among listed hosts are followed", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const to = encodeURIComponent("https://cdn.files.example/file");
    assert.equal((await stored(await order({ url: `https://files.example/to?status=${status}&to=${to}` }))).sha1, sha1(FILE));
    assert.equal(example.asked.at(-1).address, "https://cdn.files.example/file");
  }
});

const detours = {
  "a host that is not listed": ["https://other.example/file", 403],
  "the same name by another reading": ["//other.example/file", 403],
  "an IP address": ["https://169.254.169.254/latest/meta-data", 403],
  "another port": ["https://files.example:8443/file", 403],
  "plain http": ["http://files.example/file", 400],
  "credentials": ["https://a:b@files.example/file", 400],
};
for (const [what, [to, status]] of Object.entries(detours)) {
  test(`a redirect to ${what} is not followed`, async () => {
    await refused(await order({ url: `https://files.example/to?to=${encodeURIComponent(to)}` }), status);
    assert.equal(example.asked.length, 1);
  });
}

test("five redirects are followed, and no more", async () => {
  assert.equal((await stored(await order({ url: "https://files.example/down?left=4" }))).sha1, sha1(FILE));
  await example.emulator.reset();
  await refused(await order({ url: "https://files.example/down?left=5" }), 502);
});

test("redirects in a circle come to an end", async () => {
  await refused(await order({ url: "https://files.example/loop" }), 502);
  assert.equal(example.asked.length, 6);
});

test("an answer that is no file is an error, without its text", async () => {
  for (const path of ["gone", "nowhere"]) {
    const body = await refused(await order({ url: `https://files.example/${path}` }), 502);
    assert.ok(!JSON.stringify(body).includes("nobody's business"));
  }
});

test("a file beyond the grant is refused, whether its length is known or not", async () => {
  const upload = { maxFileSize: FILE.length - 1 };
  await refused(await order({ url: "https://files.example/file" }, { upload }), 413);
  const answer = await order({ url: "https://files.example/chunked" }, { upload });
  assert.equal(answer.status, 413);
  const stats = await example.emulator.stats("alice");
  assert.deepEqual([stats.requests.finish, stats.sessions_open], [0, 0]);
});

test("a caller who goes away ends the fetch, and leaves no session", { timeout: 60_000 }, async () => {
  const caller = new Connection(example.worker);
  const headers = { ...bearer(), "Content-Type": "application/json" };
  caller.send(request("POST", "/ingest-from-url", headers, JSON.stringify({ url: "https://files.example/stalls" })), ["POST"]);
  await until(async () => (await example.emulator.stats("alice")).parts_accepted >= 3);
  // Who closes a connection in good order may still wait for the answer, as far as TCP can tell.
  caller.socket.resetAndDestroy();
  await stalled;
  await until(async () => (await example.emulator.stats("alice")).sessions_open === 0);
  assert.equal((await example.emulator.stats("alice")).requests.finish, 0);
});

test("an order that is none is refused", async () => {
  for (const body of ["", "nonsense", "null", "[]", "{}", { url: 5 }, { url: "https://files.example/file", name: "" }, { url: "https://files.example/file", folder: 1 }]) {
    await refused(await order(body), 400);
  }
  await refused(await order({ url: `https://files.example/${"a".repeat(9000)}` }), 413);
  await refused(await order({ url: "https://files.example/file" }, { headers: { "content-type": "text/plain" } }), 415);
  assert.deepEqual(example.asked, []);
});

test("pages of other origins, and callers who are not signed in, are refused", async () => {
  const body = { url: "https://files.example/file" };
  await refused(await order(body, { headers: { origin: "https://evil.example" } }), 403);
  await refused(await order(body, { headers: { "sec-fetch-site": "cross-site" } }), 403);
  await refused(await order(body, { headers: { authorization: "" } }), 401);
  assert.deepEqual(example.asked, []);
});

test("without a list no host is asked", async () => {
  await refused(await order({ url: "https://files.example/file" }, { worker: example.closed }), 403);
  assert.deepEqual(example.asked, []);
});

test("with a list that has anything but names of hosts, no host is asked", async () => {
  for (const list of WRONG_LISTS) {
    for (const url of ["https://files.example/file", "https://127.0.0.1/file", "https://[::1]/file"]) {
      await refused(await order({ url }, { worker: example[list] }), 500);
    }
  }
  assert.deepEqual(example.asked, []);
});
