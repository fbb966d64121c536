// Tables and sections of Markdown.

/** Makes a table; cells are text already. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** Puts text between the markers of a name; everything else stays as it is. */
export function replaceSection(document, name, text) {
  const [begin, end] = [`<!-- bench:begin ${name} -->`, `<!-- bench:end ${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the document has no section ${begin} … ${end}`);
  return `${document.slice(0, from + begin.length)}\n${text.trim()}\n${document.slice(to)}`;
}

const grouped = (number, digits) => number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A number with so many digits behind the point; a dash where it is not known. */
export function figure(number, digits = 0) {
  return number === undefined || Number.isNaN(number) ? "–" : grouped(number, digits);
}

/** Says of each target whether it is met: `{what, value, most}` or `{what, value, least}`. */
export function targets(list) {
  return table(["target", "bound", "measured", ""], list.map(({ what, value, most, least, unit = "", digits = 2 }) => {
    const bound = most === undefined ? `at least ${figure(least, digits)}${unit}` : `at most ${figure(most, digits)}${unit}`;
    const isMet = most === undefined ? value >= least : value <= most;
    const share = Math.abs(value / (most ?? least) - 1) * 100;
    return [what, bound, `${figure(value, digits)}${unit}`, isMet ? "met" : `**missed by ${figure(share, share < 10 ? 1 : 0)} %**`];
  }));
}
