// One animation frame for the whole page: however often a card changes, it is drawn once a frame.

const due = new Set();
let scheduled = false;

/** Calls `draw` in the next animation frame; asking again before it comes changes nothing. */
export function drawInNextFrame(draw) {
  due.add(draw);
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    const draws = [...due];
    due.clear();
    for (const each of draws) each();
  });
}
