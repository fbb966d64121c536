// The foil, as a worker of workerd.

import { app } from "./app.js";

let handler;

export default {
  fetch(request, env) {
    handler ??= app(undefined, env.SETTINGS);
    return handler(request, env);
  },
};
