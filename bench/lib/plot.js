// Bars of throughput, with the limit as a line, as an SVG that is readable on light and dark pages.

const WIDTH = 960;
const LABELS = 380;
const RIGHT = 110;
const TOP = 64;
const ROW = 34;
const BAR = 20;
const BOTTOM = 74;

const STYLE = `
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .axis { fill: #59636e; font-size: 12px }
  .grid { stroke: #d1d9e0 } .limit { stroke: #cf222e; stroke-width: 2; stroke-dasharray: 6 4 } .limit-label { fill: #cf222e; font-size: 12px }
  .ours { fill: #1f7a4d } .digests { fill: #8250df } .plain { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .axis { fill: #9198a1 } .grid { stroke: #3d444d } .limit { stroke: #ff7b72 } .limit-label { fill: #ff7b72 }
    .ours { fill: #3fb27f } .digests { fill: #a371f7 } .plain { fill: #6e7681 }
  }`;

/** Kinds of contestants, and what is said of them. */
const KINDS = { ours: "ours: every part and the file hashed", digests: "others: the same work", plain: "others: nothing hashed" };

/** Draws `[{label, speed, ratio, kind}]`, the first of which is the limit; speeds in MiB/s. */
export function plot(bars, title) {
  const [limit] = bars;
  const most = Math.max(...bars.map(({ speed }) => speed));
  const step = stepFor(most);
  const top = Math.ceil(most / step) * step;
  const x = (speed) => LABELS + (speed / top) * (WIDTH - LABELS - RIGHT);
  const height = TOP + bars.length * ROW + BOTTOM;
  const foot = TOP + bars.length * ROW;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  const summary = bars.map(({ label, speed }) => `${label}: ${speed.toFixed(0)} MiB/s`).join("; ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(title)}</title><desc>${escape(summary)}</desc>`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="16" y="28">${escape(title)}</text>`,
    ...ticks.map((tick) => `<line class="grid" x1="${at(x(tick))}" y1="${TOP - 8}" x2="${at(x(tick))}" y2="${foot}"/>` +
      `<text class="axis" x="${at(x(tick))}" y="${foot + 18}" text-anchor="middle">${tick}</text>`),
    ...bars.map((bar, index) => row(bar, TOP + index * ROW, x)),
    `<line class="limit" x1="${at(x(limit.speed))}" y1="${TOP - 8}" x2="${at(x(limit.speed))}" y2="${foot}"/>`,
    `<text class="limit-label" x="${at(x(limit.speed))}" y="${TOP - 14}" text-anchor="middle">limit: bare fetch, no digest</text>`,
    ...Object.entries(KINDS).map(([kind, text], index) => legend(kind, text, 16 + index * 290, height - 24)),
    "</svg>",
    "",
  ].join("\n");
}

function legend(kind, text, x, y) {
  return `<rect class="${kind}" x="${x}" y="${y}" width="12" height="12" rx="2"/><text class="axis" x="${x + 20}" y="${y + 11}">${text}</text>`;
}

function row({ label, speed, ratio, kind }, y, x) {
  const middle = y + BAR / 2 + 5;
  const times = ratio === undefined ? "" : ` (${ratio.toFixed(2)} ×)`;
  return `<text x="${LABELS - 12}" y="${middle}" text-anchor="end">${escape(label)}</text>` +
    `<rect class="${kind}" x="${LABELS}" y="${y}" width="${at(x(speed) - LABELS)}" height="${BAR}" rx="2"/>` +
    `<text x="${at(x(speed) + 8)}" y="${middle}">${speed.toFixed(0)}${times}</text>`;
}

/** A round step that gives some five ticks. */
function stepFor(most) {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

const at = (number) => number.toFixed(1);

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
