// Paths, methods and queries that are none of the six routes', written by hand so that nothing puts them right.

import { attacks } from "./attacks.js";
import { request } from "./raw.js";
import { FILES, SESSIONS } from "./stage.js";

const LOGIN = { Authorization: "Bearer alice", Connection: "close" };
const CREATE = JSON.stringify({ name: "a.bin", parent_folder_id: "root", size: 1000 });

/** Sends one request, TOKEN standing for a good session id, and returns what reached upstream. */
const send =
  (method, target, headers = {}, body = "") =>
  async (proxy) => {
    const { token } = await proxy.session();
    const place = (text) => text.replaceAll("TOKEN", token);
    const requests = await proxy.reached(() =>
      proxy.raw(request(method, place(target), { ...LOGIN, ...headers }, body), [method]),
    );
    return requests.map((upstream) => `${upstream.method} ${upstream.target}`);
  };

attacks("paths", {}, (attack) => {
  const create = { honest: send("POST", SESSIONS, {}, CREATE) };
  const get = { honest: send("GET", `${SESSIONS}/TOKEN`) };

  for (const [name, method, target] of [
    ["..: out of the sessions", "GET", `${SESSIONS}/../files`],
    ["..: out of the API", "GET", `${SESSIONS}/TOKEN/../../../_emulator/stats`],
    ["..: above the root", "GET", "/../../_emulator/stats"],
    ["..: as a session id", "POST", `${SESSIONS}/../finish`],
    ["%2e%2e: out of the sessions", "GET", `${SESSIONS}/%2e%2e/files`],
    ["%2e%2e: out of the API", "GET", `${SESSIONS}/TOKEN/%2e%2e/%2E%2E/.%2e/_emulator/stats`],
    ["%2e%2e: twice encoded", "GET", `${SESSIONS}/%252e%252e/files`],
    ["%2e: as a session id", "GET", `${SESSIONS}/%2e%2f`],
    ["an encoded slash: before the verb", "POST", `${SESSIONS}/TOKEN%2ffinish`],
    ["an encoded slash: between fixed segments", "GET", `/file-storage%2fupload-sessions/TOKEN`],
    ["an encoded slash: before the id", "GET", `${SESSIONS}%2fTOKEN`],
    ["an encoded slash: out of the API", "GET", `${SESSIONS}/..%2f..%2f_emulator%2fstats`],
    ["an encoded slash: behind a good id", "GET", `${SESSIONS}/TOKEN%2f..%2f..`],
    ["an encoded backslash", "GET", `${SESSIONS}/..%5c..%5c_emulator%5cstats`],
    ["an encoded letter in a fixed segment", "GET", `/file%2dstorage/upload-sessions/TOKEN`],
    ["an encoded letter in the verb", "POST", `${SESSIONS}/TOKEN/fini%73h`],
    ["a NUL behind a good id", "GET", `${SESSIONS}/TOKEN%00`],
    ["a line end behind a good id", "GET", `${SESSIONS}/TOKEN%0d%0aX-Evil:%201`],
    ["a query inside a good id", "GET", `${SESSIONS}/TOKEN%3fraw=true`],
    ["parameters of a segment", "GET", `${SESSIONS};v=1/TOKEN`],
    ["another case", "GET", `/File-Storage/Upload-Sessions/TOKEN`],
  ]) {
    attack(`path tricks: ${name}`, send(method, target), get);
  }

  attack("path tricks: ..: behind backslashes", send("GET", `${SESSIONS}\\..\\..\\_emulator\\stats`), {
    ...get,
    // The adapter for Node takes no backslashes.
    refusedBy: ["node"],
  });

  for (const [name, target] of [
    ["in front", `/${SESSIONS}`],
    ["a host in front", `//127.0.0.1${SESSIONS}`],
    ["in the middle", "/file-storage//upload-sessions"],
    ["at the end", `${SESSIONS}//`],
  ]) {
    attack(`double slashes: ${name}`, send("POST", target, {}, CREATE), create);
  }
  attack("double slashes: before a session id", send("GET", `${SESSIONS}//TOKEN`), get);
  attack("double slashes: behind a session id", send("POST", `${SESSIONS}/TOKEN//finish`), get);
  attack("a slash at the end: create", send("POST", `${SESSIONS}/`, {}, CREATE), create);
  attack("a slash at the end: get", send("GET", `${SESSIONS}/TOKEN/`), get);
  attack("a slash at the end: finish", send("POST", `${SESSIONS}/TOKEN/finish/`), get);
  attack("a segment too many", send("POST", `${SESSIONS}/TOKEN/finish/now`), get);

  for (const target of [
    "/",
    "/_emulator/stats",
    "/_emulator/files",
    `${FILES}/1`,
    `${FILES}/1/download`,
    "/file-storage/folders",
    "/vault/connections",
    "/unify/metadata",
    "/file-storage",
    SESSIONS,
  ]) {
    attack(`other API paths: GET ${target}`, send("GET", target), get);
  }
  attack("other API paths: the target of another server", send("GET", "http://127.0.0.1:1/_emulator/stats"), {
    ...get,
    // workerd takes no absolute targets.
    refusedBy: ["workerd"],
  });

  for (const [method, target] of [
    ["HEAD", `${SESSIONS}/TOKEN`],
    ["PATCH", `${SESSIONS}/TOKEN`],
    ["POST", `${SESSIONS}/TOKEN`],
    ["PUT", SESSIONS],
    ["DELETE", SESSIONS],
    ["GET", `${SESSIONS}/TOKEN/finish`],
    ["PUT", `${SESSIONS}/TOKEN/finish`],
    ["DELETE", `${SESSIONS}/TOKEN/finish`],
    ["GET", FILES],
    ["PUT", FILES],
    ["DELETE", FILES],
    ["PROPFIND", SESSIONS],
    ["PURGE", `${SESSIONS}/TOKEN`],
  ]) {
    attack(`other methods: ${method} ${target}`, send(method, target), get);
  }

  // The operation itself is the caller's own: what counts is that another one is done.
  const overridden = (method, target, headers) => async (proxy) => {
    const requests = await send(method, target, headers)(proxy);
    return requests.filter((line) => !line.startsWith(method));
  };
  attack("_method override: in the query", overridden("GET", `${SESSIONS}/TOKEN?_method=DELETE`));
  for (const header of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]) {
    attack(`method override: ${header}`, overridden("GET", `${SESSIONS}/TOKEN`, { [header]: "DELETE" }));
  }

  attack("query: a raw answer", send("GET", `${SESSIONS}/TOKEN?raw=true`), {
    honest: send("GET", `${SESSIONS}/TOKEN?raw=false`),
  });
  attack("query: raw twice", send("GET", `${SESSIONS}/TOKEN?raw=false&raw=true`));
  attack("query: fields with something else in them", send("GET", `${SESSIONS}/TOKEN?fields=id%26raw%3dtrue`), {
    honest: send("GET", `${SESSIONS}/TOKEN?fields=id,part_size`),
  });
  attack("query: a parameter that there is not", send("DELETE", `${SESSIONS}/TOKEN?force=true`), {
    honest: send("DELETE", `${SESSIONS}/TOKEN`),
  });
});
