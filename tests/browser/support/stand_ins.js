// What tests put in place of the platform's own. One file for all: the test runner's server may never answer the fifth of
// the modules that a page asks for at a time.

export class PropertyPatch {
  constructor(object, key, value) {
    Object.assign(this, { object, key, own: Object.getOwnPropertyDescriptor(object, key) });
    Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
  }
  restore() {
    // What the platform has is mostly inherited: then it is enough to take away what hides it.
    if (this.own) Object.defineProperty(this.object, this.key, this.own);
    else delete this.object[this.key];
  }
}

export class FetchRecorder {
  constructor() {
    this.original = globalThis.fetch;
    this.requests = [];
    globalThis.fetch = (input, init) => {
      const request = new Request(input, init);
      if (request.url.includes("/file-storage/")) {
        const json = request.headers.get("content-type") === "application/json";
        this.requests.push({ request, body: json ? request.clone().text() : Promise.resolve("") });
      }
      return this.original.call(globalThis, request);
    };
  }
  last() {
    return this.requests.at(-1) ?? { body: Promise.reject(new Error("nothing was sent")) };
  }
  count(method) {
    return this.requests.filter(({ request }) => request.method === method).length;
  }
  get length() {
    return this.requests.length;
  }
  restore() {
    globalThis.fetch = this.original;
  }
}

export class MemoryStore {
  constructor(found) {
    this.found = found;
    this.records = new Map();
    this.calls = { get: 0, set: 0, delete: 0 };
  }
  async get(key) {
    this.calls.get++;
    return this.found ?? this.records.get(key);
  }
  async set(key, value) {
    this.calls.set++;
    this.records.set(key, structuredClone(value));
  }
  async delete(key) {
    this.calls.delete++;
    this.records.delete(key);
  }
  last() {
    return [...this.records.values()].at(-1);
  }
}
