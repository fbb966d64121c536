// A TCP relay in front of the emulator that changes nothing, and keeps the heads of the requests that pass it: what a
// proxy really sends upstream.

import net from "node:net";

/** Starts a relay to the port of `target`; it listens on the loopback. */
export async function startRelay(target) {
  const relay = new Relay(Number(new URL(target).port));
  await new Promise((resolve, reject) => relay.server.once("error", reject).listen(0, "127.0.0.1", resolve));
  relay.url = `http://127.0.0.1:${relay.server.address().port}`;
  return relay;
}

class Relay {
  #sockets = new Set();

  constructor(port) {
    /**
     * Requests in the order of their heads: {method, target, head, headers, names, body, length, chunked, complete},
     * and `ended`, fulfilled once all of it has come, or the connection has gone.
     */
    this.requests = [];
    this.server = net.createServer((client) => {
      const upstream = net.connect(port, "127.0.0.1");
      const reader = new RequestReader(this.requests);
      client.on("data", (bytes) => reader.read(bytes));
      client.on("close", () => reader.close());
      this.#join(client, upstream);
      this.#join(upstream, client);
    });
  }

  /** Returns the requests that have come since `mark` of them were there. */
  since(mark) {
    return this.requests.slice(mark);
  }

  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(from, to) {
    this.#sockets.add(from);
    from.pipe(to);
    // A reset on one side is one on the other; but a socket that is about to end cannot be reset, and would stay open.
    from.on("error", () => (to.writableEnded ? to.destroy() : to.resetAndDestroy()));
    from.on("close", () => {
      this.#sockets.delete(from);
      if (!from.readableEnded) to.destroy();
    });
  }
}

const HEAD_END = Buffer.from("\r\n\r\n");
const KEPT_BODY = 65_536;

/** Splits what comes on one connection into requests (RFC 9112): it knows both framings of bodies, and nothing else. */
class RequestReader {
  #rest = Buffer.alloc(0);
  #request;
  #resolve;
  /** Bytes of the body, or of the chunk, still to come; "size" before the size of a chunk. */
  #awaits = "head";

  constructor(requests) {
    this.requests = requests;
  }

  read(bytes) {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length > 0 && this.#step());
  }

  close() {
    this.#resolve?.();
  }

  /** Takes one element off the front; false where it is not all there. */
  #step() {
    if (this.#awaits === "head") return this.#upTo(HEAD_END, (text) => this.#begin(text));
    if (this.#awaits === "size") return this.#upTo(Buffer.from("\r\n"), (text) => this.#chunk(text));
    const part = this.#rest.subarray(0, this.#awaits);
    this.#rest = this.#rest.subarray(part.length);
    this.#awaits -= part.length;
    this.#request.length += part.length;
    if (this.#request.length <= KEPT_BODY) this.#request.body += part.toString("latin1");
    if (this.#awaits === 0) this.#partEnds();
    return true;
  }

  #upTo(mark, take) {
    const end = this.#rest.indexOf(mark);
    if (end < 0) return false;
    const text = this.#rest.toString("latin1", 0, end);
    this.#rest = this.#rest.subarray(end + mark.length);
    take(text);
    return true;
  }

  #begin(head) {
    // After the last chunk of a body an empty line is left.
    const [first, ...lines] = head.trimStart().split("\r\n");
    const [method, target] = first.split(" ");
    const headers = lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]);
    this.#request = {
      method,
      target,
      head,
      headers: Object.fromEntries(headers),
      names: headers.map(([name]) => name),
      body: "",
      length: 0,
      complete: false,
    };
    this.#request.ended = new Promise((resolve) => (this.#resolve = resolve));
    this.requests.push(this.#request);
    const { "transfer-encoding": coding, "content-length": length = "0" } = this.#request.headers;
    this.#request.chunked = coding !== undefined;
    this.#awaits = this.#request.chunked ? "size" : Number(length);
    if (this.#awaits === 0) this.#end();
  }

  #chunk(text) {
    // The end of a chunk is an empty line.
    if (text === "") return;
    this.#awaits = Number.parseInt(text, 16);
    if (this.#awaits === 0) this.#end();
  }

  #partEnds() {
    if (this.#request.chunked) this.#awaits = "size";
    else this.#end();
  }

  #end() {
    this.#request.complete = true;
    this.#resolve();
    this.#awaits = "head";
  }
}
