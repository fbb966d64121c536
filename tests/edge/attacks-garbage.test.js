// Ten thousand requests that make no sense, on connections that are kept alive: no crash, no error of ours, nothing
// goes upstream. A seed that fails is named, and EDGE_GARBAGE_SEED=<seed> runs that one alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection, request } from "./raw.js";
import { FILES, onEveryRuntime, SESSIONS, SETTINGS } from "./stage.js";
import { sign } from "./token.js";

const REQUESTS = 10_000;
const ONLY = process.env.EDGE_GARBAGE_SEED;
const CONNECTIONS = 8;
/** Requests that go out before their answers are read. */
const PIPELINED = 5;

const proxies = { ours: { allowedOrigins: ["https://app.example"] }, foil: { unguarded: true } };

onEveryRuntime("attacks: garbage", proxies, (stage) => {
  const seeds = ONLY === undefined ? Array.from({ length: REQUESTS }, (_, seed) => seed) : [Number(ONLY)];

  test(`${REQUESTS} garbage requests: no crash, no 5xx, nothing upstream`, async () => {
    const mark = stage.ours.relay.requests.length;
    const statuses = await throwAll(stage.ours, seeds, (status, seed) => {
      assert.ok((status >= 400 && status < 500) || status === 204, `seed ${seed}: ${status}`);
    });
    assert.deepEqual(
      stage.ours.relay.since(mark).map(({ head }) => head),
      [],
    );
    // They are garbage of many kinds, and get past the router.
    if (ONLY === undefined)
      for (const status of [204, 400, 401, 403, 404, 411, 413])
        assert.ok(statuses.get(status) > 10, `${status}: ${[...statuses]}`);
    const { token } = await stage.ours.session();
    assert.equal((await stage.ours.fetch(`${SESSIONS}/${token}`)).status, 200, "an honest request afterwards");
    assert.equal(stage.log().includes("panicked"), false, stage.log());
  });

  test("garbage gets through the unguarded proxy", async () => {
    const mark = stage.foil.relay.requests.length;
    await throwAll(stage.foil, seeds.slice(0, 200), () => {});
    assert.ok(stage.foil.relay.since(mark).length > 20);
  });

  test("what is no HTTP is refused by the runtime, and the proxy lives on", async () => {
    const mark = stage.ours.relay.requests.length;
    const login = "Host: a\r\nAuthorization: Bearer alice\r\n";
    for (const bytes of [
      "\r\n\r\n\r\n\0\0\0\0\r\n\r\n",
      "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
      `GET ${SESSIONS}/a\r\n\r\n`,
      `GET ${SESSIONS}/a HTTP/9.9\r\n${login}\r\n`,
      `get ${SESSIONS}/a HTTP/1.1\r\n${login}\r\n`,
      `G\0T ${SESSIONS}/a HTTP/1.1\r\n${login}\r\n`,
      `GET  ${SESSIONS}/a HTTP/1.1\r\n${login}\r\n`,
      `GET * HTTP/1.1\r\n${login}\r\n`,
      `GET ${SESSIONS}/a HTTP/1.1\r\n${login}no colon\r\n\r\n`,
      `GET ${SESSIONS}/a HTTP/1.1\r\nHost: a b\r\n\r\n`,
      `GET ${SESSIONS}/a HTTP/1.1\r\n${login}X: ${"x".repeat(1_000_000)}\r\n\r\n`,
      `POST ${SESSIONS} HTTP/1.1\r\n${login}Transfer-Encoding: chunked\r\n\r\nzzz\r\n\r\n`,
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]) {
      const [answer] = await stage.ours.raw(bytes);
      assert.ok(
        answer === undefined || answer.status >= 400,
        `${JSON.stringify(bytes.slice(0, 100))}: ${answer?.status}`,
      );
      // None of it is the handler's own failure.
      assert.ok(answer?.headers["content-type"] !== "application/json" || answer.status < 500, answer?.body);
    }
    assert.deepEqual(
      stage.ours.relay.since(mark).map(({ head }) => head),
      [],
    );
    const { token } = await stage.ours.session();
    assert.equal((await stage.ours.fetch(`${SESSIONS}/${token}`)).status, 200);
  });
});

/** Sends the request of each seed, over a few connections at a time, and counts the answers by status. */
async function throwAll(proxy, seeds, check) {
  const statuses = new Map();
  const queue = [...seeds];
  const work = async () => {
    let connection = new Connection(proxy.url);
    let used = false;
    while (queue.length > 0) {
      const batch = queue.splice(0, PIPELINED);
      const requests = batch.map((seed) => garbage(seed, proxy.settings));
      const answers = await connection.send(
        requests.map(({ bytes }) => bytes).join(""),
        requests.map(({ method }) => method),
      );
      // A server may close a connection that it has answered on; not one that is new.
      assert.ok(answers.length > 0 || used, `seeds ${batch}: no answer`);
      used = true;
      answers.forEach(({ status }, index) => {
        check(status, batch[index]);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      });
      if (
        !connection.closed &&
        answers.length === batch.length &&
        answers.every(({ headers }) => headers.connection !== "close")
      )
        continue;
      // What was behind the last answer is sent again.
      queue.unshift(...batch.slice(answers.length));
      connection.close();
      connection = new Connection(proxy.url);
      used = false;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  return statuses;
}

/** Makes a request that is HTTP and nothing that the proxy may pass on: no session id in it is good, no body is. */
function garbage(seed, settings) {
  const random = generator(seed);
  const one = (list) => list[Math.floor(random() * list.length)];
  const many = (most, make) => Array.from({ length: Math.floor(random() * (most + 1)) }, make);
  const noise = () =>
    many(12, () => one([..."abcXYZ0189-._~!$&'()*+,;=:@%/", "%2f", "%2e", "%00", "%ff", "%e2%82%ac", "..", "//"])).join(
      "",
    );
  const token = sign({
    secret: settings.sessionSecret,
    id: one(["a", "..", "%2e", "a.b", "ü"]),
    consumer: "nobody",
    size: one([null, 0, 1000]),
  });
  const id = () =>
    one([
      token,
      token.slice(1),
      token.slice(0, -1),
      `${token}=`,
      noise() || "x",
      "....",
      "a.1.-.",
      "a.99999999999999999999.1.AAAA",
      "%F0%9F%92%BE",
    ]);
  const path = one([
    SESSIONS,
    SESSIONS,
    `${SESSIONS}/${id()}`,
    `${SESSIONS}/${id()}/finish`,
    FILES,
    FILES,
    `/${noise()}`,
    `${SESSIONS}/${noise()}`,
    `${FILES}${noise()}`,
  ]);
  const query = one([
    "",
    "",
    "",
    "",
    "?part_number=0",
    `?part_number=${noise()}`,
    `?${noise()}`,
    "?raw=true",
    "?raw=false&fields=id",
    "?part_number=0&part_number=0",
  ]);
  const method = one(["GET", "POST", "POST", "POST", "PUT", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"]);
  const headers = {};
  const maybe = (name, ...values) => {
    if (random() < 0.3) headers[name] = one(values);
  };
  if (random() < 0.8) headers.Authorization = "Bearer alice";
  maybe("Origin", "https://app.example", "https://app.example", "https://evil.example", "null", noise());
  maybe("Access-Control-Request-Method", "PUT", noise());
  maybe("Sec-Fetch-Site", "same-origin", "cross-site", noise());
  maybe("Content-Type", "application/json", "text/plain", noise());
  maybe("Digest", "sha=", "sha=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", noise());
  maybe("X-Apideck-Service-Id", "box", "BOX", noise(), "../..");
  maybe("X-Apideck-Metadata", "{", "null", '{"name":1}', '{"name":"\\u0000","parent_folder_id":"a"}', noise());
  maybe("X-HTTP-Method-Override", "DELETE");
  const body = one([
    "",
    "{",
    "null",
    "[]",
    '"',
    '{"name":1}',
    '{"name":"","parent_folder_id":"a","size":1}',
    '{"name":"a","parent_folder_id":"b","size":-1}',
    "\xff\xfe",
    "x".repeat(70_000),
    "[".repeat(2000),
    noise(),
  ]);
  const bare = ["GET", "HEAD", "OPTIONS", "DELETE"].includes(method);
  const chunked = !bare && random() < 0.2;
  if (chunked) headers["Transfer-Encoding"] = "chunked";
  const framed = chunked ? `${body.length.toString(16)}\r\n${body}\r\n${body === "" ? "" : "0\r\n\r\n"}` : body;
  return { method, bytes: request(method, path + query, headers, bare ? "" : framed) };
}

/** Random numbers by seed (mulberry32). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
