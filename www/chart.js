// The throughput of the last 60 seconds (fewer while the upload is young), as one SVG path that takes its colours from the style sheet.

/** How often a sample is taken, in milliseconds. */
export const SAMPLE_MS = 500;

const SAMPLES = 60_000 / SAMPLE_MS;
/** A young upload is drawn over this much time, so that its line is more than a speck. */
const LEAST_SAMPLES = 10_000 / SAMPLE_MS;
const WIDTH = 240;
const HEIGHT = 72;
const HEADROOM = 6;

export class Chart {
  #line;
  #area;
  #samples = [];

  constructor(svg) {
    this.#line = svg.querySelector(".chart-line");
    this.#area = svg.querySelector(".chart-area");
  }

  reset() {
    this.#samples = [];
    this.draw();
  }

  /** Adds what was measured since the last sample, in bytes per second. */
  add(bytesPerSecond) {
    this.#samples.push(bytesPerSecond);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** The highest sample shown. */
  get peak() {
    return this.#samples.reduce((highest, sample) => Math.max(highest, sample), 0);
  }

  /** How many seconds the whole width stands for. */
  get seconds() {
    return (this.#width * SAMPLE_MS) / 1000;
  }

  get #width() {
    return Math.max(LEAST_SAMPLES, this.#samples.length);
  }

  draw() {
    const peak = this.peak || 1;
    const step = WIDTH / (this.#width - 1);
    const first = WIDTH - (this.#samples.length - 1) * step;
    const points = this.#samples.map((sample, index) => {
      const y = HEIGHT - (sample / peak) * (HEIGHT - HEADROOM);
      return `${(first + index * step).toFixed(1)},${y.toFixed(1)}`;
    });
    this.#line.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
    this.#area.setAttribute("d", points.length > 1 ? `M${first.toFixed(1)},${HEIGHT}L${points.join("L")}L${WIDTH},${HEIGHT}Z` : "");
  }
}
