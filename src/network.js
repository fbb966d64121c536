// Requests: where they go, what they carry, and how they are sent (WHATWG Fetch, WHATWG XHR).

import { isChromium, probe, timeout as startTimer } from "./platform.js";
import { isHeaderValue } from "./values.js";

// What came of a request; `Kind` in network.rs.
const ANSWER = 0;
const NO_ANSWER = 1;
const LATE = 2;
const ABORTED = 3;
const UNSENDABLE = 4;
const TOKEN_FAILED = 5;
const NO_TOKEN = 6;
const UNREADABLE = 7;

// From here on a body's memory matters, in bytes.
const LARGE = 2 ** 16;

const CREDENTIALS = ["omit", "same-origin", "include"];
const RESERVED = "content-length content-type digest x-apideck-metadata";

// Everything about requests that does not change from one to the next. The bearer token is a string, or a function's
// `Tokens`, or none: a proxy adds it.
export class Connection {
  // `apart` hands content to fetch beside its Request: Workers copy the body of a Request, and keep the copy until both are
  // collected as garbage.
  constructor(fields, server, apart) {
    this.apart = apart;
    const key = fields.get("apiKey");
    if (typeof key === "function") this.tokens = new Tokens(key);
    else if (key !== undefined && typeof key !== "string") {
      fields.refuse("apiKey", "takes a string or a function that returns one");
    } else this.token = fields.header("apiKey");
    this.headers = this.own(fields);
    identify(this.headers, fields);
    if (fields.choice("authType", "apiKey jwt")) this.headers.set("x-apideck-auth-type", "JWT");
    this.credentials = CREDENTIALS[fields.choice("credentials", CREDENTIALS.join(" "))];
    this.server = address(fields) ?? server;
    this.xhr = fields.choice("transport", "fetch xhr") === 1;
    if (!this.xhr) return;
    if (typeof globalThis.XMLHttpRequest !== "function") {
      fields.refuse("transport", 'takes "fetch" alone here: this runtime has no XMLHttpRequest');
    }
    if (this.credentials === "omit") {
      fields.refuse("credentials", 'takes no "omit" with the transport "xhr", which cannot do so');
    }
  }

  // Returns the same connection with what a single call changes of it.
  with(request, options) {
    const changed = Object.create(this);
    changed.headers = new Map([...this.headers, ...(options ? this.own(options) : [])]);
    if (options) changed.server = address(options) ?? this.server;
    identify(changed.headers, request);
    return changed;
  }

  own(fields) {
    const headers = fields.headers("headers", RESERVED);
    if ((this.token ?? this.tokens) !== undefined && headers.has("authorization")) {
      fields.refuse("headers", "takes no authorization beside `apiKey`");
    }
    return headers;
  }

  header(name) {
    return this.headers.get(name);
  }

  get canRefresh() {
    return this.tokens !== undefined;
  }

  // Has the next request ask for a fresh token, unless the one that the outcome's request had was replaced already.
  forget(outcome) {
    this.tokens?.forget(outcome.token);
  }

  // Asks for another token than the one in use.
  async refresh() {
    if (this.tokens) this.tokens.last = undefined;
    return (await this.authorize(new AbortController().signal)) ?? answer(200);
  }

  // Puts the token among the headers; returns an outcome where there is none.
  async authorize(signal, headers) {
    let value = this.token;
    let token;
    if (this.tokens) {
      token = this.tokens.promise();
      try {
        value = await unlessAborted(token, signal);
      } catch (cause) {
        // It may never settle: the next request asks anew.
        this.tokens.forget(token);
        return signal.aborted ? { kind: NO_ANSWER, cause: signal.reason } : { kind: TOKEN_FAILED, cause };
      }
      if (typeof value !== "string" || !isHeaderValue(value)) {
        this.tokens.forget(token);
        return { kind: NO_TOKEN };
      }
    }
    if (value !== undefined) headers?.set("authorization", `Bearer ${value}`);
  }

  // Sends a request once, until it is answered, fails, has taken `timeout` milliseconds or is aborted; never rejects.
  // `request` is what `exchange` takes.
  async send(outer, timeout, ...request) {
    if (outer?.aborted) return { kind: ABORTED, cause: outer.reason };
    let signal = outer;
    let late = false;
    let end;
    if (timeout !== undefined || !outer) {
      const controller = new AbortController();
      const abort = () => controller.abort();
      const expire = () => {
        late = true;
        abort();
      };
      outer?.addEventListener("abort", abort);
      const timer = timeout === undefined ? timeout : startTimer(expire, timeout);
      end = () => {
        clearTimeout(timer);
        outer?.removeEventListener("abort", abort);
      };
      ({ signal } = controller);
    }
    const outcome = await this.exchange(signal, ...request);
    end?.();
    if (outcome.kind !== NO_ANSWER) return outcome;
    if (outer?.aborted) return { kind: ABORTED, cause: outer.reason };
    return { ...outcome, kind: late ? LATE : NO_ANSWER };
  }

  // `content` is the body where there is no `json`: with `probes` a Blob that the browser is to read from disk is looked for
  // first, as Chromium tells of a broken network where it is gone, and Firefox never ends the request.
  async exchange(signal, method, target, json, digest, metadata, content, length, probes, onSent) {
    const headers = new Map(this.headers);
    const token = this.tokens?.promise();
    const unauthorized = await this.authorize(signal, headers);
    if (unauthorized) return unauthorized;
    if (probes && content instanceof Blob) {
      try {
        const changed = await probe(content, signal);
        if (changed && !signal.aborted) return { kind: UNREADABLE, text: changed };
      } catch (cause) {
        return { kind: UNREADABLE, cause };
      }
    }
    // Chromium keeps a copy of a buffer until that is collected as garbage, which its size does not hasten; of a Blob, none.
    if (content?.length > LARGE && isChromium()) content = new Blob([content]);
    const set = (name, value) => value !== undefined && headers.set(name, value);
    set("digest", digest);
    set("x-apideck-metadata", metadata);
    if (content !== undefined) set("content-type", "application/octet-stream");
    else if (json !== undefined) set("content-type", "application/json");
    set("content-length", length?.toString());
    const request = { url: this.server + target, method, headers, body: content ?? json, signal };
    const outcome = await (content !== undefined && this.xhr ? this.byXhr(request, onSent) : this.byFetch(request));
    outcome.token = token;
    const hidden = secrets(headers, outcome.status);
    if (outcome.text) outcome.text = redact(outcome.text, hidden);
    if (outcome.requestId) outcome.requestId = redact(outcome.requestId, hidden);
    return outcome;
  }

  // Redirects are not followed: the API has none, and credentials and content must not go where a captive portal points.
  // Such an answer comes out with its status, or with 0 where the browser hides it.
  async byFetch({ url, body, headers, ...more }) {
    const init = { ...more, ...(!this.apart && { body }), headers: [...headers], redirect: "manual" };
    // Runtimes without credentials refuse the very word.
    if (this.credentials) init.credentials = this.credentials;
    try {
      const response = await (this.apart
        ? fetch(new Request(url, init), body === undefined ? body : { body, duplex: "half" })
        : fetch(url, init));
      const text = await response.text();
      const header = (name) => response.headers.get(name) ?? undefined;
      return answer(response.status, header("retry-after"), header("request-id"), text);
    } catch (cause) {
      try {
        // What is wrong with a request shows here, apart from what is with the network.
        new Request(url, init);
      } catch (cause) {
        return { kind: UNSENDABLE, cause };
      }
      return { kind: NO_ANSWER, cause };
    }
  }

  // Tells with `onSent` how many bytes of the body are on their way so far. Unlike fetch it cannot be kept from following
  // redirects; an answer from elsewhere than it was asked for comes out with status 0, as the browser would hide it from
  // fetch.
  async byXhr({ url, method, headers, body, signal }, onSent) {
    if (signal.aborted) return { kind: NO_ANSWER, cause: signal.reason };
    let xhr;
    let ended;
    try {
      xhr = new XMLHttpRequest();
      xhr.open(method, url);
      for (const [name, value] of headers) xhr.setRequestHeader(name, value);
      xhr.withCredentials = this.credentials === "include";
      xhr.upload.addEventListener("progress", ({ loaded }) => !signal.aborted && onSent(loaded));
      ended = new Promise((resolve) => xhr.addEventListener("loadend", resolve));
      xhr.send(body);
    } catch (cause) {
      return { kind: UNSENDABLE, cause };
    }
    try {
      await unlessAborted(ended, signal);
      if (xhr.status === 0) throw new TypeError("XMLHttpRequest failed");
      if (xhr.responseURL && xhr.responseURL !== url) return answer(0);
      // Asking for a header that the server does not expose would write an error to the console.
      const lines = headerLines(xhr);
      return answer(xhr.status, lines.get("retry-after"), lines.get("request-id"), xhr.responseText);
    } catch (cause) {
      try {
        xhr.abort();
      } catch {
        // It is given up all the same.
      }
      return { kind: NO_ANSWER, cause };
    }
  }
}

const answer = (status, retryAfter, requestId, text) => ({
  kind: ANSWER,
  status,
  retryAfter,
  requestId,
  text: typeof text === "string" ? text : "",
});

function headerLines(xhr) {
  try {
    const lines = xhr.getAllResponseHeaders().split("\n").filter((line) => line.includes(":"));
    return new Map(lines.map((line) => [line.split(":")[0].toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  } catch {
    return new Map();
  }
}

// Puts who a request acts for among its headers.
function identify(headers, fields) {
  const names = [["appId", "app-id"], ["consumerId", "consumer-id"], ["serviceId", "service-id"]];
  for (const [key, name] of names) {
    const value = fields.header(key);
    if (value !== undefined) headers.set(`x-apideck-${name}`, value);
  }
}

// Resolves a server's address against the page's, without a slash at its end.
function address(fields) {
  const given = fields.string("serverUrl");
  if (given === undefined) return;
  try {
    const page = globalThis.location?.href;
    const url = new URL(given, page?.startsWith("http") ? page : undefined);
    // A host without a scheme would be taken for a path of the page, and the token go to the page's own server. An empty
    // query or fragment leaves nothing but its mark.
    const isPlain = /^(https?:\/\/|\/(?!\/))[^?#]*$/i.test(given) && !url.username && !url.password;
    if (isPlain && /^https?:$/.test(url.protocol)) return url.origin + url.pathname.replace(/\/+$/, "");
  } catch {
    // Refused below.
  }
  fields.refuse("serverUrl", "takes an http(s) address, or a path that begins with /, without credentials, query and fragment");
}

// Asks the page for a token, once for all requests that want one at the same time.
class Tokens {
  constructor(ask) {
    this.ask = ask;
  }

  promise() {
    // The function is the page's own, and may call back into the module.
    this.last ??= (async () => this.ask.call(undefined))();
    return this.last;
  }

  forget(promise) {
    if (this.last === promise) this.last = undefined;
  }
}

// Waits for a promise; rejects with the signal's reason where that is aborted before.
function unlessAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    const done = () => signal.removeEventListener("abort", abort);
    promise.then(resolve, reject).then(done);
  });
}

// Headers whose values are no secret.
const OPEN = ["content-type", "digest"];
// What is put in a secret's place.
const REDACTED = "[redacted]";
// Secrets shorter than this are not looked for: they would match by chance.
const SHORTEST = 8;

// Returns what must not come back in an answer: the token, and in an error what headers of the caller's own may hold. In a
// success such a value (`accept: application/json`, say) may be the file's own as well, and stays.
function secrets(headers, status) {
  const isOwn = (name) => !(status >= 200 && status < 300) && !name.startsWith("x-apideck-") && !OPEN.includes(name);
  // A scheme and its credentials (RFC 9110, 11.4): the credentials alone are as secret.
  return [...headers]
    .filter(([name]) => name === "authorization" || isOwn(name))
    .flatMap(([, value]) => [value, value.slice(value.indexOf(" ") + 1)])
    .filter((secret) => secret.length >= SHORTEST);
}

// Takes the secrets out of a text, also where it is JSON that spells them with escapes: a server may echo what it was sent.
export function redact(text, secrets) {
  const redactText = (text) => secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), text);
  const redactJson = (value) => {
    if (typeof value === "string") return redactText(value);
    if (Array.isArray(value)) return value.map(redactJson);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [redactText(key), redactJson(field)]));
  };
  if (text.includes("\\")) {
    try {
      const json = JSON.parse(text);
      const redacted = JSON.stringify(redactJson(json));
      return redacted === JSON.stringify(json) ? text : redacted;
    } catch {
      // No JSON, or nested too deep: a text.
    }
  }
  return redactText(text);
}
