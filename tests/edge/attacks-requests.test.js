// Headers and bodies that are not what they say, written by hand so that nothing puts them right.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";

import { attacks, reached } from "./attacks.js";
import { Connection, request } from "./raw.js";
import { FILES, SESSIONS } from "./stage.js";

const LOGIN = { Authorization: "Bearer alice" };
const EVIL = /evil/i;

/** Sends a part of `alice` and returns what went upstream. */
const part = async (proxy, headers, body) => {
  const { token } = await proxy.session();
  return proxy.reached(() => proxy.raw(request("PUT", `${SESSIONS}/${token}?part_number=0`, { ...LOGIN, ...headers }, body)));
};
const lines = (requests) => requests.map(({ method, target }) => `${method} ${target}`);

/** Sends a part with headers besides, and returns the lines upstream that speak of evil. */
const told = (headers) => async (proxy) => {
  const requests = await part(proxy, headers, "content");
  return requests.flatMap(({ head }) => head.split("\r\n").filter((line) => EVIL.test(line)));
};

attacks("headers", {}, (attack) => {
  for (const [name, headers] of [
    ["Host", { Host: "evil.test" }],
    ["Host with the port of somebody else", { Host: "evil.test:80" }],
    ["X-Forwarded-Host", { "X-Forwarded-Host": "evil.test" }],
    ["Forwarded", { Forwarded: "host=evil.test" }],
    ["X-Forwarded-For", { "X-Forwarded-For": "evil" }],
    ["Connection names a header", { Connection: "keep-alive, X-Hop", "X-Hop": "evil" }],
    ["Connection names a header that is needed", { Connection: "Authorization, Digest", "X-Hop": "evil" }],
    ["Proxy-Authorization", { "Proxy-Authorization": "Basic ZXZpbA== evil" }],
    ["Proxy-Connection", { "Proxy-Connection": "evil" }],
    ["Trailer", { Trailer: "X-Evil" }],
    ["Cookie", { Cookie: "session=evil" }],
    ["Referer", { Referer: "http://evil.test/" }],
    ["a header that there is not", { "X-Anything": "evil" }],
    ["Content-Encoding", { "Content-Encoding": "evil" }],
    ["Range", { Range: "bytes=0-evil" }],
    ["X-HTTP-Method-Override", { "X-Original-URL": "/evil" }],
  ]) {
    attack(`hop-by-hop and other headers: ${name}`, told(headers));
  }

  // What a runtime may write of its own accord; everything else in a head was sent by the proxy.
  const runtimes = ["host", "connection", "keep-alive", "accept", "accept-encoding", "accept-language", "sec-fetch-mode", "user-agent", "cf-worker"];
  const ours = ["authorization", "x-apideck-app-id", "x-apideck-consumer-id", "x-apideck-service-id", "content-type", "content-length", "digest"];
  attack("nothing but the known headers goes upstream", async (proxy) => {
    const requests = await part(proxy, { TE: "trailers", "X-One": "1", Cookie: "a=b", Accept: "text/html", "User-Agent": "mine" }, "content");
    const names = requests.flatMap((upstream) => upstream.names).filter((name) => ![...runtimes, ...ours].includes(name));
    return [...names, ...requests.map(({ headers }) => headers["user-agent"]).filter((agent) => agent === "mine")];
  });

  const digest = (value) => (proxy) => part(proxy, { Digest: value }, "content").then(lines);
  const good = { honest: digest("sha=BA8G/XdAkkeNRQd09bowxHr7vK8=") };
  for (const [name, value] of [
    ["a second algorithm", "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=, md5=evil"],
    ["another algorithm", "md5=CY9rzUYh03PK3k6DJie09g=="],
    ["another case", "SHA=BA8G/XdAkkeNRQd09bowxHr7vK8="],
    ["too short", "sha=BA8G/XdAkkeNRQd09bo="],
    ["no base64", "sha=evil!G/XdAkkeNRQd09bowxHr7vK8="],
    ["without padding", "sha=BA8G/XdAkkeNRQd09bowxHr7vK8"],
    ["a tab and more", "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\tX-Evil: 1"],
    ["a byte that is not ASCII", "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\xff"],
  ]) {
    attack(`header injection in digests: ${name}`, digest(value), good);
  }
  attack("header injection in digests: twice", digest("sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\r\nDigest: sha=BA8G/XdAkkeNRQd09bowxHr7vK9="), good);
  // A line end ends the header for the runtimes: what comes behind is another one, which must not go upstream.
  attack("header injection in digests: a line end", told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\r\nX-Evil: 1" }));
  attack("header injection in digests: a bare LF", told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\nX-Evil: 1" }));
  attack("header injection in digests: a bare CR", told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\rX-Evil: 1" }));
  attack("header injection in digests: a folded line", told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\r\n X-Evil: 1" }));

  const type = (value) => told({ "Content-Type": value });
  for (const [name, value] of [
    ["no type", "evil"],
    ["a tab and more", "text/plain\tX-Evil: 1"],
    ["a list", "text/plain, text/evil"],
    ["a byte that is not ASCII", "text/evil\xff"],
  ]) {
    attack(`header injection in content-type: ${name}`, type(value));
  }
});

attacks("names", {}, (attack) => {
  const create = (name) => (proxy) => {
    const body = JSON.stringify({ name, parent_folder_id: "root", size: 1000 });
    return reached(proxy, () => proxy.fetch(SESSIONS, { method: "POST", body }));
  };
  const direct = (name) => (proxy) => {
    const metadata = JSON.stringify({ name, parent_folder_id: "root" }).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    return reached(proxy, () => proxy.fetch(FILES, { method: "POST", headers: { "x-apideck-metadata": metadata }, body: "a" }));
  };
  for (const [how, make] of [["create", create], ["direct upload", direct]]) {
    const honest = { honest: make("Größe 💾.bin") };
    for (const name of ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb", "a\x85b", ""]) {
      attack(`header injection in file names: ${JSON.stringify(name)}: ${how}`, make(name), honest);
    }
  }

  const metadata = (value) => (proxy) => proxy.reached(() => proxy.raw(request("POST", FILES, { ...LOGIN, "X-Apideck-Metadata": value }, "a"))).then(lines);
  const honest = { honest: metadata('{"name":"a","parent_folder_id":"root"}') };
  attack("header injection in metadata: no JSON", metadata("evil"), honest);
  attack("header injection in metadata: a list", metadata('["a"]'), honest);
  attack("header injection in metadata: twice", metadata('{"name":"a","parent_folder_id":"root"}\r\nX-Apideck-Metadata: {"name":"b","parent_folder_id":"root"}'), honest);
  attack("header injection in metadata: something behind it", metadata('{"name":"a","parent_folder_id":"root"} evil'), honest);
  attack("header injection in metadata: bytes that are no UTF-8", metadata('{"name":"\xff\xfe","parent_folder_id":"root"}'), honest);
});

attacks("framing", {}, (attack, stage) => {
  const CHUNKED = "7\r\ncontent\r\n0\r\n\r\n";
  const honest = { honest: (proxy) => part(proxy, {}, "content").then(lines) };
  for (const [name, headers, body, refusedBy] of [
    ["Transfer-Encoding without a length", { "Transfer-Encoding": "chunked" }, CHUNKED],
    ["Transfer-Encoding and a Content-Length", { "Content-Length": "7", "Transfer-Encoding": "chunked" }, CHUNKED, ["node"]],
    ["a Content-Length and Transfer-Encoding", { "Transfer-Encoding": "chunked", "Content-Length": "27" }, CHUNKED, ["node"]],
    ["Transfer-Encoding in another spelling", { "Transfer-Encoding": "Chunked" }, CHUNKED],
    ["Transfer-Encoding that is unknown", { "Transfer-Encoding": "xchunked", "Content-Length": "7" }, "content", ["workerd", "node"]],
    ["Transfer-Encoding of two codings", { "Transfer-Encoding": "gzip, chunked" }, CHUNKED, ["workerd"]],
    ["two Content-Lengths that differ", { "Content-Length": "7\r\nContent-Length: 3" }, "content", ["workerd", "node"]],
    ["two Content-Lengths that agree", { "Content-Length": "7\r\nContent-Length: 7" }, "content", ["workerd", "node"]],
    ["a list of Content-Lengths", { "Content-Length": "7, 7" }, "content", ["workerd", "node"]],
    ["a negative Content-Length", { "Content-Length": "-7" }, "content", ["workerd", "node"]],
    ["a signed Content-Length", { "Content-Length": "+7" }, "content", ["workerd", "node"]],
    ["a hexadecimal Content-Length", { "Content-Length": "0x7" }, "content", ["workerd", "node"]],
    ["a fractional Content-Length", { "Content-Length": "7.0" }, "content", ["workerd", "node"]],
    ["a blank before the colon", { "Transfer-Encoding ": "chunked", "Content-Length": "7" }, "content", ["workerd", "node"]],
  ]) {
    attack(`request smuggling: ${name}`, (proxy) => part(proxy, headers, body).then(lines), { ...honest, refusedBy });
  }
  attack("no length at all", (proxy) => part(proxy, { "Transfer-Encoding": "chunked" }, "0\r\n\r\n").then(lines), honest);

  attack("a body longer than declared", async (proxy) => {
    // What is too much reads as the next request: upstream must not see it as one.
    const smuggled = request("DELETE", `${SESSIONS}/${await proxy.emulator.session({ app: proxy.settings.appId })}`, LOGIN);
    const { token } = await proxy.session();
    const first = request("PUT", `${SESSIONS}/${token}?part_number=0`, { ...LOGIN, "Content-Length": 7 }, "content");
    const requests = await proxy.reached(() => proxy.raw(first + smuggled, ["PUT", "DELETE"]));
    return lines(requests.filter(({ method, body }) => method !== "PUT" || body !== "content"));
  }, honest);

  attack("a body shorter than declared", async (proxy) => {
    const { token, id } = await proxy.session();
    const connection = new Connection(proxy.url);
    const answered = connection.send(request("PUT", `${SESSIONS}/${token}?part_number=0`, { ...LOGIN, "Content-Length": 1000 }, "content"));
    connection.socket.end();
    await answered;
    connection.close();
    return taken(proxy, id);
  }, honest);

  /** The parts of a session that upstream has taken for whole. */
  async function taken(proxy, id) {
    const mine = () => proxy.relay.requests.filter(({ target }) => target.includes(id) && target.includes("part_number"));
    if (proxy === stage.foil) while (!mine().some(({ complete }) => complete)) await setImmediate();
    await Promise.all(mine().map(({ ended }) => ended));
    return mine().filter(({ complete }) => complete).map(({ target }) => target);
  }

  test("JSON nested more deeply than any stack", async () => {
    for (const body of ["[".repeat(60_000), `{"pass_through":${"[".repeat(60_000)}`, `{"pass_through":${'{"a":'.repeat(10_000)}`]) {
      const answer = await stage.ours.fetch(SESSIONS, { method: "POST", body });
      assert.equal(answer.status, 400);
    }
  });

  test("JSON beyond the limit is refused, however long it is", async () => {
    const body = JSON.stringify({ name: "a", parent_folder_id: "x".repeat(100_000), size: 1 });
    assert.equal((await stage.ours.fetch(SESSIONS, { method: "POST", body })).status, 413);
  });
});
