// Upstream as it may be: down, silent, slow, not itself; and clients that go away.

import assert from "node:assert/strict";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";

import { create, read, readError, send, UNHEARD } from "./client.js";
import { Connection, request } from "./raw.js";
import { FILES, onEveryRuntime, SESSIONS, until } from "./stage.js";

/** Nothing listens there: it is the discard port, and privileged. */
const NOWHERE = await addressOfNobody();
const TIMEOUT = 1500;

/** Upstreams that answer a request as soon as they see it, and read no more of it. */
const EARLY = {
  "keeps the connection": () => {},
  "ends the connection": (socket) => socket.end(),
  "resets the connection": (socket) => setImmediate(() => socket.resetAndDestroy()),
};
const early = await Promise.all(
  Object.entries(EARLY).map(async ([how, then]) => [how, { upstream: await answerEarly(then) }]),
);
const proxies = {
  ...Object.fromEntries(early),
  ours: {},
  down: { upstream: NOWHERE },
  quick: { timeout: TIMEOUT },
  patient: { timeout: 3_600_000 },
};

/** Returns an address that refuses connections. */
async function addressOfNobody() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

async function answerEarly(then) {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.unref().on("error", () => {});
    socket.once("data", () => {
      socket.pause();
      socket.write(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}",
      );
      then(socket);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

onEveryRuntime("upstream", proxies, (stage) => {
  const session = async (proxy = stage.ours, more) => `${SESSIONS}/${(await proxy.session(more)).token}`;
  /** Asks for a session while upstream is struck so. */
  const get = async (fault, proxy = stage.ours) => {
    const path = await session(proxy);
    await stage.emulator.fault("get", fault);
    return proxy.fetch(path);
  };
  const status = (status, more) => ({ kind: "status", status, ...more });
  const make = async (data) => {
    await stage.emulator.fault("create", status(201, { body: { status_code: 201, status: "Created", data } }));
    return stage.ours.fetch(SESSIONS, { method: "POST", body: '{"name":"a","parent_folder_id":"root","size":1}' });
  };

  test("of upstream's headers request-id and retry-after are kept, and no other", async () => {
    const headers = {
      "Retry-After": "7",
      "X-Debug": "1",
      "Set-Cookie": "a=b",
      Server: "upstream",
      "X-Frame-Options": "DENY",
    };
    const answer = await get(status(429, { headers }));
    assert.equal(answer.headers.get("retry-after"), "7");
    assert.match(answer.headers.get("request-id"), /^[0-9a-f]{32}$/);
    const known = ["cache-control", "content-type", "request-id", "retry-after", "vary"];
    const runtimes = ["connection", "content-length", "date", "keep-alive", "transfer-encoding"];
    assert.deepEqual(
      [...answer.headers.keys()].filter((name) => !runtimes.includes(name)),
      known,
    );
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal((await readError(answer, 429)).type_name.length > 0, true);
  });

  test("a retry-after that is a date is kept", async () => {
    const date = "Wed, 21 Oct 2026 07:28:00 GMT";
    assert.equal((await get(status(503, { headers: { "Retry-After": date } }))).headers.get("retry-after"), date);
  });

  test("an error of the API is passed on as it is", async () => {
    const path = await session();
    const error = await readError(await stage.ours.fetch(`${path}/finish`, { method: "POST" }), 422);
    assert.equal(error.type_name, "InvalidStateError");
    assert.match(error.detail, /part 0 is missing/);
  });

  test("upstream that refuses the API key is passed on, and the log says so", async () => {
    const path = await session();
    await stage.emulator.fault("get", status(401));
    await readError(await stage.ours.fetch(path), 401);
    await until(() => stage.log().includes("upload-session/edge: upstream: refuses the API key"));
  });

  test("upstream that is down is a 502, and the log says so", async () => {
    await readError(await stage.down.fetch(await session(stage.down)), 502);
    await until(() => stage.log().includes("upload-session/edge: upstream: unreachable"));
    await readError(
      await stage.down.fetch(FILES, {
        method: "POST",
        headers: { "x-apideck-metadata": '{"name":"a","parent_folder_id":"b"}' },
        body: "a",
      }),
      502,
    );
  });

  for (const when of ["before_body", "after_body"]) {
    test(`upstream that cuts the connection is a 502: ${when}`, async () => {
      await readError(await get({ kind: "reset", when }), 502);
    });
  }

  test("upstream that cuts the connection in the middle of a part is a 502", async () => {
    const { token } = await stage.ours.session({ size: 1_000_000 });
    await stage.emulator.fault("upload", { kind: "reset", when: "mid_body" });
    const part = { method: "PUT", body: Buffer.alloc(1_000_000) };
    await readError(await stage.ours.fetch(`${SESSIONS}/${token}?part_number=0`, part), 502);
  });

  test("upstream that does not answer is a 504", async () => {
    await readError(await get({ kind: "stall", when: "after_body" }, stage.quick), 504);
  });

  test("upstream that does not answer a part is a 504", async () => {
    const path = await session(stage.quick);
    await stage.emulator.fault("upload", { kind: "stall", when: "after_body" });
    await readError(await stage.quick.fetch(`${path}?part_number=0`, { method: "PUT", body: "content" }), 504);
  });

  test("upstream that refuses a part and closes is heard, or is a 502: it is never the caller's fault", async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const { token } = await stage.ours.session({ size: 8_388_608 });
      await stage.emulator.fault("upload", status(429, { before_body: true }));
      const answer = await send(stage.ours, `${SESSIONS}/${token}?part_number=0`, 8_388_608);
      assert.ok([429, 502, UNHEARD].includes(answer.status), answer.text);
    }
  });

  for (const how of Object.keys(EARLY)) {
    test(`upstream that answers before it has read the part is heard: it ${how}`, async () => {
      const { token } = await stage[how].session({ size: 30_000_000 });
      let answer = { status: UNHEARD };
      for (let attempt = 0; attempt < 5 && answer.status === UNHEARD; attempt++) {
        answer = await send(stage[how], `${SESSIONS}/${token}?part_number=0`, 30_000_000);
      }
      // What is cut off at once may not be heard; then it is upstream that failed, and the caller may try again.
      if (how === "resets the connection" && answer.status === 502) return;
      assert.equal(answer.status, 429, answer.text);
      assert.equal(answer.headers["retry-after"], "3");
    });
  }

  test("a caller that sends a part more slowly than upstream may answer is not cut off", async () => {
    const path = await session(stage.quick, { size: 5 });
    const connection = new Connection(stage.quick.url);
    const answered = connection.send(
      request("PUT", `${path}?part_number=0`, { Authorization: "Bearer alice", "Content-Length": 5 }),
    );
    for (const byte of "bytes") {
      await sleep(TIMEOUT / 3);
      connection.socket.write(byte);
    }
    const [answer] = await answered;
    connection.close();
    assert.equal(answer.status, 200, answer.body);
  });

  for (const [name, body] of [
    ["HTML", "<html>fine</html>"],
    ["text", "fine"],
    ["a list", [1]],
    ["a string", '"fine"'],
    ["null", "null"],
    ["JSON that ends too soon", '{"data":{'],
    ["JSON nested more deeply than any stack", `{"data":${"[".repeat(100_000)}`],
    ["JSON with half a character", '{"data":{"id":"\\ud800"}}'],
  ]) {
    test(`an answer of 200 that is ${name} is a 502`, async () => {
      const error = await readError(await get(status(200, { body })), 502);
      assert.ok(!JSON.stringify(error).includes("fine"));
    });
  }

  test("an answer that is longer than any of the API's is a 502", async () => {
    await readError(await get(status(200, { body: { data: { id: "x".repeat(2_000_000) } } })), 502);
  });

  test("an error that is HTML keeps its status and its retry-after, and nothing else", async () => {
    const answer = await get(status(503, { headers: { "Retry-After": "3" }, body: "<html>busy</html>" }));
    assert.equal(answer.headers.get("retry-after"), "3");
    assert.ok(!JSON.stringify(await readError(answer, 503)).includes("busy"));
  });

  for (const code of [400, 404, 500, 599]) {
    test(`an error without a body gets the envelope: ${code}`, async () => {
      await readError(await get(status(code, { body: "" })), code);
    });
  }

  for (const code of [301, 302, 307, 308]) {
    test(`upstream that sends on is a 502, and is not followed: ${code}`, async () => {
      const mark = stage.ours.relay.requests.length;
      const answer = await get(status(code, { headers: { Location: "/_emulator/stats" }, body: {} }));
      assert.equal(answer.headers.get("location"), null);
      await readError(answer, 502);
      assert.equal(stage.ours.relay.since(mark).length, 1);
    });
  }

  for (const code of [202, 204, 205]) {
    test(`an answer without a body stays one: ${code}`, async () => {
      const answer = await get(status(code, { body: "" }));
      assert.equal(answer.status, code);
      assert.equal(await answer.text(), "");
    });
  }

  test("finish that is accepted without a body is passed on with its retry-after", async () => {
    const path = await session();
    await stage.emulator.fault("finish", status(202, { headers: { "Retry-After": "2" }, body: "" }));
    const answer = await stage.ours.fetch(`${path}/finish`, { method: "POST", body: "{}" });
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.get("retry-after"), "2");
    assert.equal(await answer.text(), "");
  });

  test("finish that is accepted, as Box does, is passed on with its retry-after", async () => {
    await stage.emulator.settings({ consumer_id: "alice", finish_accepted_times: 1 });
    const { id } = await create(stage.ours, {}, { size: 7 });
    await read(await stage.ours.fetch(`${SESSIONS}/${id}?part_number=0`, { method: "PUT", body: "content" }), 200);
    const accepted = await stage.ours.fetch(`${SESSIONS}/${id}/finish`, { method: "POST" });
    assert.equal(accepted.status, 202);
    assert.equal(accepted.headers.get("retry-after"), "1");
    await read(await stage.ours.fetch(`${SESSIONS}/${id}/finish`, { method: "POST" }), 201);
    await stage.emulator.settings({ consumer_id: "alice", finish_accepted_times: null });
  });

  for (const data of [undefined, null, {}, { id: 1 }, { id: "" }, { id: "." }, { id: ".." }]) {
    test(`a session without an id that can be used is a 502: ${JSON.stringify(data)}`, async () => {
      await readError(await make(data), 502);
    });
  }

  test("a session id of any spelling comes back to upstream as it was", async () => {
    for (const id of ["a/../b", "a.b.c", "%2e%2e", "a?raw=true#b", "ü 💾", "\\..\\", "a;b=c&d+e"]) {
      const { data } = await read(await make({ id }), 201);
      const mark = stage.ours.relay.requests.length;
      await stage.ours.fetch(`${SESSIONS}/${encodeURIComponent(data.id)}`);
      const [{ target }] = stage.ours.relay.since(mark);
      const [, segment, ...others] = target.split(SESSIONS)[1].split("/");
      assert.deepEqual(others, []);
      assert.equal(decodeURIComponent(segment), id);
    }
  });

  test("raw answers of connectors are left out", async () => {
    const answer = await read(
      await get(
        status(200, {
          body: { status_code: 200, data: { id: "a", success: false }, _raw: { upload_url: "https://x" } },
        }),
      ),
      200,
    );
    assert.equal("_raw" in answer, false);
    assert.equal(answer.data.success, false);
  });

  test("a client that goes away in the middle of a part cancels it upstream", async () => {
    const { id, token } = await stage.ours.session({ size: 10_000_000 });
    const connection = new Connection(stage.ours.url);
    const headers = { Authorization: "Bearer alice", "Content-Length": 8_388_608 };
    connection.send(request("PUT", `${SESSIONS}/${token}?part_number=0`, headers, "x".repeat(1_000_000)));
    await until(() => stage.ours.relay.requests.find(({ target, length }) => target.includes(id) && length > 0));
    connection.close();
    const cut = await until(async () =>
      (await stage.emulator.stats("alice")).log.find(({ session_id }) => session_id === id),
    );
    assert.equal(cut.status, null);
    assert.ok(cut.bytes < 8_388_608);
  });

  test("a client that goes away before the answer cancels the request upstream", async () => {
    const { id, token } = await stage.patient.session();
    await stage.emulator.fault("get", { kind: "stall", when: "after_body" });
    const connection = new Connection(stage.patient.url);
    connection.send(request("GET", `${SESSIONS}/${token}`, { Authorization: "Bearer alice" }));
    await until(() => stage.patient.relay.requests.find(({ target }) => target.includes(id)));
    // For workerd the end of what a client sends is not the end of the client: it may be waiting for the answer still.
    connection.socket.resetAndDestroy();
    const cut = await until(async () =>
      (await stage.emulator.stats("alice")).log.find(({ session_id }) => session_id === id),
    );
    assert.equal(cut.status, null);
  });
});
