// Bodies that are not as long as they say, written by hand so that nothing puts them right.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";

import { attacks } from "./attacks.js";
import { Connection, request } from "./raw.js";
import { SESSIONS } from "./stage.js";

const LOGIN = { Authorization: "Bearer alice" };

/** Sends a part of `alice` and returns what went upstream. */
const part = async (proxy, headers, body) => {
  const { token } = await proxy.session();
  return proxy.reached(() =>
    proxy.raw(request("PUT", `${SESSIONS}/${token}?part_number=0`, { ...LOGIN, ...headers }, body)),
  );
};
const lines = (requests) => requests.map(({ method, target }) => `${method} ${target}`);

attacks("framing", {}, (attack, stage) => {
  const CHUNKED = "7\r\ncontent\r\n0\r\n\r\n";
  const honest = { honest: (proxy) => part(proxy, {}, "content").then(lines) };
  for (const [name, headers, body, refusedBy] of [
    ["Transfer-Encoding without a length", { "Transfer-Encoding": "chunked" }, CHUNKED],
    [
      "Transfer-Encoding and a Content-Length",
      { "Content-Length": "7", "Transfer-Encoding": "chunked" },
      CHUNKED,
      ["node"],
    ],
    [
      "a Content-Length and Transfer-Encoding",
      { "Transfer-Encoding": "chunked", "Content-Length": "27" },
      CHUNKED,
      ["node"],
    ],
    ["Transfer-Encoding in another spelling", { "Transfer-Encoding": "Chunked" }, CHUNKED],
    [
      "Transfer-Encoding that is unknown",
      { "Transfer-Encoding": "xchunked", "Content-Length": "7" },
      "content",
      ["workerd", "node"],
    ],
    ["Transfer-Encoding of two codings", { "Transfer-Encoding": "gzip, chunked" }, CHUNKED, ["workerd"]],
    ["two Content-Lengths that differ", { "Content-Length": "7\r\nContent-Length: 3" }, "content", ["workerd", "node"]],
    ["two Content-Lengths that agree", { "Content-Length": "7\r\nContent-Length: 7" }, "content", ["workerd", "node"]],
    ["a list of Content-Lengths", { "Content-Length": "7, 7" }, "content", ["workerd", "node"]],
    ["a negative Content-Length", { "Content-Length": "-7" }, "content", ["workerd", "node"]],
    ["a signed Content-Length", { "Content-Length": "+7" }, "content", ["workerd", "node"]],
    ["a hexadecimal Content-Length", { "Content-Length": "0x7" }, "content", ["workerd", "node"]],
    ["a fractional Content-Length", { "Content-Length": "7.0" }, "content", ["workerd", "node"]],
    ["a blank before the colon", { "Transfer-Encoding ": "chunked", "Content-Length": "7" }, CHUNKED, ["node"]],
  ]) {
    attack(`request smuggling: ${name}`, (proxy) => part(proxy, headers, body).then(lines), { ...honest, refusedBy });
  }
  attack(
    "no length at all",
    (proxy) => part(proxy, { "Transfer-Encoding": "chunked" }, "0\r\n\r\n").then(lines),
    honest,
  );

  attack(
    "a body longer than declared",
    async (proxy) => {
      // What is too much reads as the next request: upstream must not see it as one.
      const smuggled = request(
        "DELETE",
        `${SESSIONS}/${await proxy.emulator.session({ app: proxy.settings.appId })}`,
        LOGIN,
      );
      const { token } = await proxy.session();
      const first = request("PUT", `${SESSIONS}/${token}?part_number=0`, { ...LOGIN, "Content-Length": 7 }, "content");
      const requests = await proxy.reached(() => proxy.raw(first + smuggled, ["PUT", "DELETE"]));
      return lines(requests.filter(({ method, body }) => method !== "PUT" || body !== "content"));
    },
    honest,
  );

  attack(
    "a body shorter than declared",
    async (proxy) => {
      const { token, id } = await proxy.session();
      const connection = new Connection(proxy.url);
      const answered = connection.send(
        request("PUT", `${SESSIONS}/${token}?part_number=0`, { ...LOGIN, "Content-Length": 1000 }, "content"),
      );
      connection.socket.end();
      await answered;
      connection.close();
      return taken(proxy, id);
    },
    honest,
  );

  /** The parts of a session that upstream has taken for whole. */
  async function taken(proxy, id) {
    const mine = () =>
      proxy.relay.requests.filter(({ target }) => target.includes(id) && target.includes("part_number"));
    if (proxy === stage.foil) while (!mine().some(({ complete }) => complete)) await setImmediate();
    await Promise.all(mine().map(({ ended }) => ended));
    return mine()
      .filter(({ complete }) => complete)
      .map(({ target }) => target);
  }

  test("JSON nested more deeply than any stack", async () => {
    for (const body of [
      "[".repeat(60_000),
      `{"pass_through":${"[".repeat(60_000)}`,
      `{"pass_through":${'{"a":'.repeat(10_000)}`,
    ]) {
      const answer = await stage.ours.fetch(SESSIONS, { method: "POST", body });
      assert.equal(answer.status, 400);
    }
  });

  test("JSON beyond the limit is refused, however long it is", async () => {
    const body = JSON.stringify({ name: "a", parent_folder_id: "x".repeat(100_000), size: 1 });
    assert.equal((await stage.ours.fetch(SESSIONS, { method: "POST", body })).status, 413);
  });
});
