// Values that cross into JavaScript and out of it: options field by field, errors, events, JSON.

// The one class of everything that goes wrong. Fields stand in api.d.ts; none ever holds a credential.
export class UploadError extends Error {
  // Minified, it would be called by a letter where it is printed.
  static get name() {
    return "UploadError";
  }

  // As that of the platform's own errors: a subclass, or one error, may have another.
  static {
    this.prototype.name = "UploadError";
  }

  constructor(message, fields = {}) {
    const { cause, ...rest } = fields;
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, rest);
  }
}

// Makes the UploadError of an engine's error; `detail` is JSON, and fields that are undefined are left out.
export function uploadError(message, code, retryable, status, typeName, detail, ref, requestId, partNumber, cause) {
  const parsed = detail === undefined ? detail : JSON.parse(detail);
  const fields = { code, retryable, status, typeName, detail: parsed, ref, requestId, partNumber, cause };
  for (const key in fields) if (fields[key] === undefined) delete fields[key];
  return new UploadError(message, fields);
}

const invalid = (field, takes) =>
  new UploadError(`\`${field}\` ${takes}`, { code: "invalid_argument", retryable: false });

// What whoever calls anything of the module too early is told.
export const notLoaded = () => invalid("init()", "has to be awaited first");

// Makes the error of what the module's glue throws; its words for an object that is used after free() speak of pointers.
export const misused = (text) =>
  text.startsWith("null pointer")
    ? new UploadError("It was let go of by free()", { code: "invalid_argument", retryable: false })
    : new Error(text);

// The characters of a field-content are visible ASCII, space and tab (RFC 9110, 5.5); all else could end the header and
// begin another.
const HEADER_VALUE = /^[\t -~]+$/;
// A token (RFC 9110, 5.6.2).
const HEADER_NAME = /^[!#$%&'*+.^`|~\w-]+$/;

export const isHeaderValue = (value) => HEADER_VALUE.test(value);

// Returns the keys of a plain object: a literal, or one without a prototype, of whatever realm. What else may be handed in
// by mistake (`Headers`, a `Map`, a list) keeps its content elsewhere than in fields.
function plainKeys(value) {
  try {
    if (typeof value !== "object" || value === null) return;
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return;
    return Reflect.ownKeys(value).filter((key) => typeof key === "string");
  } catch {
    // A proxy may throw at anything.
  }
}

// Reads an object handed in by a caller field by field. The first thing that is off is kept as the `problem`, which names
// the field and what it takes, and reading goes on: who reads looks at the end.
export class Fields {
  // `known` are names with spaces between; `path` leads to the object within the arguments, with a dot at its end.
  constructor(object, name, known, path = "", root = undefined) {
    this.object = object;
    this.path = path;
    this.root = root ?? this;
    const keys = plainKeys(object);
    if (!keys) {
      this.object = {};
      this.root.problem ??= `\`${name}\` takes a plain object`;
    }
    const stray = keys?.find((key) => !known.split(" ").includes(key));
    if (stray !== undefined) this.refuse(stray, `is not known among the ${name}`);
  }

  refuse(key, takes) {
    this.root.problem ??= `\`${this.path}${key}\` ${takes}`;
  }

  get(key) {
    try {
      return this.object[key];
    } catch {
      this.refuse(key, "cannot be read");
    }
  }

  // Returns a field that passes the test; undefined where it is absent or does not.
  read(key, passes, takes) {
    const value = this.get(key);
    if (value === undefined || passes(value)) return value;
    this.refuse(key, takes);
  }

  nested(key, known) {
    const value = this.get(key);
    const path = this.path + key;
    return value === undefined ? undefined : new Fields(value, path, known, `${path}.`, this.root);
  }

  string(key) {
    return this.read(key, (value) => typeof value === "string", "takes a string");
  }

  required(key) {
    const value = this.string(key);
    if (value === undefined) this.refuse(key, "is missing, and takes a string");
    return value ?? "";
  }

  // Returns a string that is sent as a header. It is not shown where it is refused: it may be a secret.
  header(key) {
    const value = this.string(key);
    if (value === undefined || HEADER_VALUE.test(value)) return value;
    this.refuse(key, "takes visible ASCII characters, as it is sent as a header");
  }

  boolean(key) {
    return this.read(key, (value) => typeof value === "boolean", "takes true or false");
  }

  number(key, min, max) {
    const passes = (value) => typeof value === "number" && value >= min && value <= max;
    return this.read(key, passes, `takes a number from ${min} to ${max}`);
  }

  whole(key, min, max) {
    const passes = (value) => Number.isInteger(value) && value >= min && value <= max;
    return this.read(key, passes, `takes a whole number from ${min} to ${max}`);
  }

  function(key) {
    return this.read(key, (value) => typeof value === "function", "takes a function");
  }

  // Returns which of the names it is, from 0.
  choice(key, names) {
    const all = names.split(" ");
    const takes = `takes ${all.map((name) => `"${name}"`).join(" or ")}`;
    const value = this.read(key, (value) => all.includes(value), takes);
    return value === undefined ? value : all.indexOf(value);
  }

  // Returns headers of the caller's own, with names in lower case; `reserved` are those that are not the caller's to set.
  headers(key, reserved) {
    const headers = new Map();
    const value = this.get(key);
    const keys = value === undefined ? [] : plainKeys(value);
    if (!keys) this.refuse(key, "takes a plain object whose values are strings");
    for (const given of keys ?? []) {
      const name = given.toLowerCase();
      let text;
      try {
        text = value[given];
      } catch {
        // No string, then.
      }
      if (typeof text !== "string") this.refuse(key, "takes a plain object whose values are strings");
      else if (!HEADER_NAME.test(given)) this.refuse(key, "takes header names that are tokens (RFC 9110, 5.6.2)");
      else if (!HEADER_VALUE.test(text)) {
        this.refuse(`${key}.${name}`, "takes visible ASCII characters, as it is sent as a header");
      } else if (reserved.split(" ").includes(name)) this.refuse(`${key}.${name}`, "is set by the upload itself");
      headers.set(name, text);
    }
    return headers;
  }

  // Returns a list of PassThrough as JSON of the wire.
  passThrough(key) {
    const value = this.get(key);
    if (value === undefined) return;
    let list;
    try {
      // Refuses cycles and whatever else is no JSON; what comes out is plain.
      list = JSON.parse(JSON.stringify(value));
    } catch {
      // No list, then.
    }
    let problem = Array.isArray(list) ? undefined : "it is no JSON of a list";
    const wire = problem ? [] : list.map((item) => {
      const fields = new Fields(item, "item", "serviceId operationId extendObject extendPaths");
      const paths = fields.read("extendPaths", Array.isArray, "takes a list");
      const added = {
        service_id: fields.required("serviceId"),
        operation_id: fields.string("operationId"),
        extend_object: fields.read("extendObject", plainKeys, "takes an object"),
        extend_paths: paths?.map((entry) => {
          const path = new Fields(entry, "path", "path value", "extendPaths.", fields);
          if (path.get("value") === undefined) path.refuse("value", "is missing");
          return { path: path.required("path"), value: path.get("value") };
        }),
      };
      problem ??= fields.problem;
      return added;
    });
    if (problem) this.refuse(key, `takes a list of PassThrough (${problem})`);
    return JSON.stringify(wire);
  }
}

const EVENTS = ["state", "session", "progress", "part", "retry", "warning"];

// The listeners of one session, and the events that they are told.
export class Listeners {
  constructor() {
    this.entries = [];
  }

  // Returns the function that takes the listener off again.
  on(event, listener) {
    if (!EVENTS.includes(event)) throw invalid("event", `takes one of ${EVENTS.join(", ")}`);
    if (typeof listener !== "function") throw invalid("listener", "takes a function");
    const entry = { event, listener };
    this.entries.push(entry);
    return () => {
      this.entries = this.entries.filter((other) => other !== entry);
    };
  }

  wants(event) {
    return this.entries.some((entry) => entry.event === EVENTS[event]);
  }

  tell(event, detail) {
    // A listener may add and remove listeners: those that it adds are not told, those that it took off are not either.
    for (const entry of [...this.entries]) {
      if (entry.event !== event || !this.entries.includes(entry)) continue;
      try {
        entry.listener.call(undefined, detail);
      } catch (error) {
        console.error(`upload-session: a listener of "${event}" threw`, error);
      }
    }
  }

  state(state) {
    this.tell("state", { state });
  }

  session(id, partSize, parallel, resumed, expiresAt) {
    this.tell("session", { id, partSize, parallel, resumed, expiresAt: expiresAt ?? null });
  }

  part(partNumber, start, end, state, attempt) {
    this.tell("part", { partNumber, start, end, state, attempt });
  }

  retry(operation, partNumber, attempt, delay, error) {
    this.tell("retry", { operation, ...(partNumber !== undefined && { partNumber }), attempt, delay, error });
  }

  warning(code, message) {
    this.tell("warning", { code, message });
  }
}

export function progress(total, confirmed, sent, hashed, bytesPerSecond, remaining, parts, done, inFlight) {
  const secondsRemaining = remaining ?? null;
  return { total, confirmed, sent, hashed, bytesPerSecond, secondsRemaining, parts: { total: parts, done, inFlight } };
}

// Fields whose content is a connector's or a customer's own: their keys stay as they are.
const OPAQUE = ["_raw", "custom_mappings", "pass_through"];

// Renames the keys of every object within, from the wire's snake_case.
export function camelCase(value) {
  if (Array.isArray(value)) return value.map(camelCase);
  if (typeof value !== "object" || value === null) return value;
  // `__proto__` is a key like any other here.
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key.replace(/_+([a-z]?)/g, (_, first) => first.toUpperCase()),
      OPAQUE.includes(key) ? field : camelCase(field),
    ]),
  );
}

export const file = (json) => camelCase(JSON.parse(json));

// Makes the Envelope of an answer.
export function envelope(json, requestId) {
  const { _raw: raw, ...rest } = JSON.parse(json);
  return { ...camelCase(rest), ...(raw !== undefined && { raw }), ...(requestId !== undefined && { requestId }) };
}

// Writes any value as JSON; empty where it is none: a cycle, a getter that throws, whatever a page may put in.
export function stringify(value) {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
