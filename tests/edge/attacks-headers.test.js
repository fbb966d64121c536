// Headers that are not what they say, written by hand so that nothing puts them right.

import { attacks, reached } from "./attacks.js";
import { request } from "./raw.js";
import { FILES, SESSIONS } from "./stage.js";

const LOGIN = { Authorization: "Bearer alice" };
const EVIL = /evil/i;

/** Sends a part of `alice` and returns what went upstream. */
const part = async (proxy, headers, body) => {
  const { token } = await proxy.session();
  return proxy.reached(() =>
    proxy.raw(request("PUT", `${SESSIONS}/${token}?part_number=0`, { ...LOGIN, ...headers }, body)),
  );
};
const lines = (requests) => requests.map(({ method, target }) => `${method} ${target}`);

/** Sends a part with headers besides, and returns the lines upstream that speak of evil. */
const told = (headers) => async (proxy) => {
  const requests = await part(proxy, headers, "content");
  return requests.flatMap(({ head }) => head.split("\r\n").filter((line) => EVIL.test(line)));
};

attacks("headers", {}, (attack) => {
  for (const [name, headers, refusedBy] of [
    ["Host", { Host: "evil.test" }],
    ["Host with the port of somebody else", { Host: "evil.test:80" }],
    ["X-Forwarded-Host", { "X-Forwarded-Host": "evil.test" }],
    ["Forwarded", { Forwarded: "host=evil.test" }],
    ["X-Forwarded-For", { "X-Forwarded-For": "evil" }],
    ["Connection names a header", { Connection: "keep-alive, X-Hop", "X-Hop": "evil" }],
    ["Connection names a header that is needed", { Connection: "Authorization, Digest", "X-Hop": "evil" }],
    ["Proxy-Authorization", { "Proxy-Authorization": "Basic ZXZpbA== evil" }],
    ["Proxy-Connection", { "Proxy-Connection": "evil" }],
    ["Trailer", { Trailer: "X-Evil" }, ["workerd"]],
    ["Cookie", { Cookie: "session=evil" }],
    ["Referer", { Referer: "http://evil.test/" }],
    ["a header that there is not", { "X-Anything": "evil" }],
    ["Content-Encoding", { "Content-Encoding": "evil" }],
    ["Range", { Range: "bytes=0-evil" }],
    ["X-Original-URL", { "X-Original-URL": "/evil" }],
  ]) {
    attack(`hop-by-hop and other headers: ${name}`, told(headers), { refusedBy });
  }

  // What a runtime may write of its own accord; everything else in a head was sent by the proxy.
  const runtimes = [
    "host",
    "connection",
    "keep-alive",
    "accept",
    "accept-encoding",
    "accept-language",
    "sec-fetch-mode",
    "user-agent",
    "cf-worker",
  ];
  const ours = [
    "authorization",
    "x-apideck-app-id",
    "x-apideck-consumer-id",
    "x-apideck-service-id",
    "content-type",
    "content-length",
    "digest",
  ];
  attack("nothing but the known headers goes upstream", async (proxy) => {
    const requests = await part(
      proxy,
      { TE: "trailers", "X-One": "1", Cookie: "a=b", Accept: "text/html", "User-Agent": "mine" },
      "content",
    );
    const names = requests
      .flatMap((upstream) => upstream.names)
      .filter((name) => ![...runtimes, ...ours].includes(name));
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
  attack(
    "header injection in digests: twice",
    digest("sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\r\nDigest: sha=BA8G/XdAkkeNRQd09bowxHr7vK9="),
    good,
  );
  // A line end ends the header for the runtimes: what comes behind is another one, which must not go upstream.
  attack("header injection in digests: a line end", told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\r\nX-Evil: 1" }));
  const strict = { refusedBy: ["node"] };
  attack(
    "header injection in digests: a bare LF",
    told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\nX-Evil: 1" }),
    strict,
  );
  attack(
    "header injection in digests: a bare CR",
    told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\rX-Evil: 1" }),
    strict,
  );
  attack(
    "header injection in digests: a folded line",
    told({ Digest: "sha=BA8G/XdAkkeNRQd09bowxHr7vK8=\r\n X-Evil: 1" }),
    strict,
  );

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
    const metadata = JSON.stringify({ name, parent_folder_id: "root" }).replace(
      /[^\x20-\x7e]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    return reached(proxy, () =>
      proxy.fetch(FILES, { method: "POST", headers: { "x-apideck-metadata": metadata }, body: "a" }),
    );
  };
  for (const [how, make] of [
    ["create", create],
    ["direct upload", direct],
  ]) {
    const honest = { honest: make("Größe 💾.bin") };
    for (const name of ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb", "a\x85b", "a\ud800b", ""]) {
      attack(`header injection in file names: ${JSON.stringify(name)}: ${how}`, make(name), honest);
    }
  }

  const metadata = (value) => (proxy) =>
    proxy.reached(() => proxy.raw(request("POST", FILES, { ...LOGIN, "X-Apideck-Metadata": value }, "a"))).then(lines);
  const honest = { honest: metadata('{"name":"a","parent_folder_id":"root"}') };
  attack("header injection in metadata: no JSON", metadata("evil"), honest);
  attack("header injection in metadata: a list", metadata('["a"]'), honest);
  attack(
    "header injection in metadata: twice",
    metadata('{"name":"a","parent_folder_id":"root"}\r\nX-Apideck-Metadata: {"name":"b","parent_folder_id":"root"}'),
    honest,
  );
  attack(
    "header injection in metadata: something behind it",
    metadata('{"name":"a","parent_folder_id":"root"} evil'),
    honest,
  );
  attack(
    "header injection in metadata: bytes that are no UTF-8",
    metadata('{"name":"\xff\xfe","parent_folder_id":"root"}'),
    honest,
  );
});
