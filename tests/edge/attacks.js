// Attacks, and how they are judged.

import assert from "node:assert/strict";
import { test } from "node:test";

import { onEveryRuntime } from "./stage.js";

/**
 * Declares attacks on proxies of the same settings, on every runtime. `define` is given `attack(name, run, options)`:
 * `run(proxy)` attacks a proxy and returns what shows that it got through, a list, empty where it did not. Each must get
 * through the proxy without guards, so that it is known to be an attack, and must not get through ours.
 *
 * - `honest(proxy)`, optional, does the same as an honest caller, and returns what shows that it was let through ours: so
 *   that it is the guard that stops the attack, and nothing else.
 * - `refusedBy`, optional, names runtimes that refuse the attack before any handler sees it: there it must not get
 *   through the foil either.
 */
export function attacks(topic, settings, define) {
  const proxies = { ours: settings, foil: { ...settings, unguarded: true } };
  onEveryRuntime(`attacks: ${topic}`, proxies, (stage) => {
    const attack = (name, run, { honest, refusedBy = [] } = {}) =>
      test(name, async () => {
        const foiled = await run(stage.foil);
        assert.equal(
          foiled.length > 0,
          !refusedBy.includes(stage.runtime),
          "whether it gets through the unguarded proxy",
        );
        assert.deepEqual(await run(stage.ours), [], "what got through the proxy");
        if (honest) assert.notDeepEqual(await honest(stage.ours), [], "what an honest caller gets through");
      });
    define(attack, stage);
  });
}

/** What went upstream while `act` ran, as request lines. */
export async function reached(proxy, act) {
  const requests = await proxy.reached(act);
  return requests.map(({ method, target }) => `${method} ${target}`);
}
