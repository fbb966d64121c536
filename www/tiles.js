// The grid of tiles, one a part, on a canvas: up to 10,001 parts, and only those that changed are drawn again.

/** What a tile can show, in the order of the legend. Each has a shape of its own, not only a colour. */
export const TILE_STATES = ["waiting", "hashing", "hashed", "sending", "retrying", "done"];

const MAX_HEIGHT = 150;
/** Tile sizes with their gap, in CSS pixels; the largest that keeps the grid within MAX_HEIGHT is taken. */
const PITCHES = [22, 18, 15, 12, 10, 8, 6, 5, 4, 3];

export class Tiles {
  #canvas;
  #context;
  #states = new Uint8Array(0);
  #changed = new Set();
  #counts = new Uint32Array(TILE_STATES.length);
  #columns = 1;
  #pitch = PITCHES[0];
  #palette = null;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  /** Starts over with so many parts, all waiting. */
  reset(total) {
    this.#states = new Uint8Array(total);
    this.#counts.fill(0);
    this.#counts[0] = total;
    this.#columns = 0;
  }

  get total() {
    return this.#states.length;
  }

  /** How many parts are in a state. */
  count(state) {
    return this.#counts[TILE_STATES.indexOf(state)];
  }

  set(part, state) {
    if (part >= this.#states.length) return;
    const next = TILE_STATES.indexOf(state);
    this.#counts[this.#states[part]] -= 1;
    this.#counts[next] += 1;
    this.#states[part] = next;
    this.#changed.add(part);
  }

  /** Sets every part back to waiting that is not done. */
  settle() {
    const done = TILE_STATES.indexOf("done");
    this.#states.forEach((state, part) => { if (state !== done) this.set(part, "waiting"); });
  }

  /** The part under a point of the canvas and its state; undefined beside the grid. */
  partAt(x, y) {
    const column = Math.floor(x / this.#pitch);
    const part = Math.floor(y / this.#pitch) * this.#columns + column;
    if (column >= this.#columns || part >= this.total) return undefined;
    return { part, state: TILE_STATES[this.#states[part]] };
  }

  /** Forgets size and colours: the next draw takes them afresh. */
  invalidate() {
    this.#columns = 0;
  }

  /** Draws what changed since the last draw. `width` is the room there is, in CSS pixels. */
  draw(width) {
    if (this.total === 0 || width < PITCHES[0]) return;
    if (this.#columns === 0) this.#lay(width);
    for (const part of this.#changed) this.#drawPart(part);
    this.#changed.clear();
  }

  #lay(width) {
    this.#palette = readPalette(this.#canvas);
    const height = (pitch) => Math.ceil(this.total / Math.floor(width / pitch)) * pitch;
    this.#pitch = PITCHES.find((pitch) => height(pitch) <= MAX_HEIGHT) ?? PITCHES.at(-1);
    this.#columns = Math.floor(width / this.#pitch);
    const scale = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height(this.#pitch) * scale);
    this.#canvas.style.height = `${height(this.#pitch)}px`;
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    for (let part = 0; part < this.total; part += 1) this.#changed.add(part);
  }

  #drawPart(part) {
    const x = (part % this.#columns) * this.#pitch;
    const y = Math.floor(part / this.#columns) * this.#pitch;
    this.#context.clearRect(x, y, this.#pitch, this.#pitch);
    const gap = this.#pitch > 10 ? 3 : this.#pitch > 5 ? 2 : 1;
    drawTile(this.#context, TILE_STATES[this.#states[part]], x, y, this.#pitch - gap, this.#palette);
  }
}

/** Draws one tile of the legend onto its own small canvas. */
export function drawSample(canvas, state) {
  const size = 14;
  const scale = window.devicePixelRatio || 1;
  canvas.width = size * scale;
  canvas.height = size * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  drawTile(context, state, 0, 0, size, readPalette(canvas));
}

function readPalette(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    waiting: colour("--line-strong"),
    active: colour("--accent"),
    retrying: colour("--warn"),
    done: colour("--good"),
    surface: colour("--surface"),
  };
}

function drawTile(context, state, x, y, size, palette) {
  const fill = (colour, top = 0) => {
    context.fillStyle = colour;
    if (size < 9 || top > 0) return context.fillRect(x, y + top, size, size - top);
    context.beginPath();
    context.roundRect(x, y, size, size, 2);
    context.fill();
  };
  if (size < 5) {
    // Too small for a shape: height and colour tell, the legend beside it counts.
    const isLow = state === "waiting" || state === "hashing" || state === "hashed";
    fill(palette[state] ?? palette.active, isLow ? size / 2 : 0);
    return;
  }
  const line = (colour, width, ...points) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const [fromX, fromY, toX, toY] of points) {
      context.moveTo(x + fromX * size, y + fromY * size);
      context.lineTo(x + toX * size, y + toY * size);
    }
    context.stroke();
  };
  const outline = (colour) => {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.beginPath();
    if (size >= 9) context.roundRect(x + 0.5, y + 0.5, size - 1, size - 1, 2);
    else context.rect(x + 0.5, y + 0.5, size - 1, size - 1);
    context.stroke();
  };
  switch (state) {
    case "waiting":
      outline(palette.waiting);
      break;
    case "hashing":
      outline(palette.active);
      line(palette.active, 1, [0.1, 0.9, 0.9, 0.1]);
      break;
    case "hashed":
      outline(palette.active);
      context.fillStyle = palette.active;
      context.fillRect(x + size * 0.35, y + size * 0.35, size * 0.3, size * 0.3);
      break;
    case "sending":
      outline(palette.active);
      fill(palette.active, size * 0.45);
      break;
    case "retrying":
      fill(palette.retrying);
      line(palette.surface, Math.max(1, size / 9), [0.27, 0.27, 0.73, 0.73], [0.73, 0.27, 0.27, 0.73]);
      break;
    case "done":
      fill(palette.done);
      break;
  }
}
