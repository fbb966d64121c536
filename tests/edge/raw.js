// HTTP by hand (RFC 9112) over a socket: requests that no client library would send, and the answers to them.

import net from "node:net";

/**
 * A connection that is kept alive: `send` writes bytes as they are, and resolves with so many final answers, or fewer
 * where the server closes.
 */
export class Connection {
  #received = Buffer.alloc(0);
  #waiting;

  constructor(url) {
    this.socket = net.connect(Number(new URL(url).port), "127.0.0.1");
    this.closed = false;
    this.socket.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#deliver();
    });
    // A reset while writing is an answer too; "close" follows.
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
      this.#deliver();
    });
  }

  /** `methods` are those of the requests in the bytes: an answer to HEAD has no body. */
  send(bytes, methods = ["GET"]) {
    this.socket.write(bytes, "latin1");
    return new Promise((resolve) => {
      this.#waiting = { methods: [...methods], answers: [], resolve };
      this.#deliver();
    });
  }

  close() {
    this.socket.destroy();
  }

  #deliver() {
    const waiting = this.#waiting;
    if (!waiting) return;
    while (waiting.answers.length < waiting.methods.length) {
      const answer = parse(this.#received, waiting.methods[waiting.answers.length], this.closed);
      if (!answer) break;
      this.#received = this.#received.subarray(answer.length);
      if (answer.status >= 200) waiting.answers.push(answer);
    }
    if (waiting.answers.length < waiting.methods.length && !this.closed) return;
    this.#waiting = undefined;
    waiting.resolve(waiting.answers);
  }
}

/** Sends bytes on a connection of their own; resolves with the answers. */
export async function exchange(url, bytes, methods) {
  const connection = new Connection(url);
  try {
    return await connection.send(bytes, methods);
  } finally {
    connection.close();
  }
}

/** Writes a request; a body gets its Content-Length, where the headers do not tell one. */
export function request(method, target, headers = {}, body = "") {
  const lines = Object.entries({ Host: "proxy.test", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const framed = lines.some((line) => /^(content-length|transfer-encoding):/i.test(line));
  if (!framed && (body !== "" || method === "POST" || method === "PUT"))
    lines.push(`Content-Length: ${body.length}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/** Takes an answer off the front; undefined where it is not complete. */
function parse(bytes, method, closed) {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const headers = Object.fromEntries(
    head
      .split("\r\n")
      .slice(1)
      .map((line) => [line.split(":")[0].toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const start = headEnd + 4;
  const none = method === "HEAD" || status < 200 || status === 204 || status === 304;
  const body = none ? { text: "", end: start } : parseBody(bytes, start, headers, closed);
  return body && { status, headers, head, body: body.text, length: body.end };
}

function parseBody(bytes, start, headers, closed) {
  if (headers["transfer-encoding"]) return parseChunks(bytes, start);
  const length = headers["content-length"];
  // Without a length, the body ends with the connection.
  if (length === undefined) return closed ? { text: bytes.toString("utf8", start), end: bytes.length } : undefined;
  const end = start + Number(length);
  return bytes.length >= end ? { text: bytes.toString("utf8", start, end), end } : undefined;
}

function parseChunks(bytes, start) {
  const chunks = [];
  for (let at = start; ;) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
    const end = line + 2 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { text: Buffer.concat(chunks).toString("utf8"), end };
    chunks.push(bytes.subarray(line + 2, end - 2));
    at = end;
  }
}
