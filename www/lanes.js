// A browser opens six HTTP/1.1 connections to one server. The uploads of this page share five of them, so that
// the fault panel always gets through, however slow the link was made.

const LANES = 5;

let free = LANES;
const queue = [];

/** Waits for its turn, then holds up to `wanted` lanes: fewer where other uploads hold the rest, never none. */
export function acquireLanes(wanted) {
  const turn = new Promise((resolve) => queue.push({ wanted, resolve }));
  // Served a moment later, so that files dropped together are seen together and share fairly.
  queueMicrotask(serve);
  return turn;
}

function serve() {
  while (queue.length > 0 && free > 0) {
    const { wanted, resolve } = queue.shift();
    const fair = Math.max(1, Math.floor(free / (queue.length + 1)));
    resolve(hold(Math.min(wanted, fair)));
  }
}

function hold(count) {
  free -= count;
  let held = count;
  return {
    count,
    /** Keeps `rest` lanes (all given back by default). */
    release(rest = 0) {
      if (rest >= held) return;
      free += held - rest;
      held = rest;
      serve();
    },
  };
}
