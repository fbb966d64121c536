// What is made of the measured numbers.

export function median(numbers) {
  if (numbers.length === 0) throw new Error("no numbers have no median");
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of the ratios within each round: what slows down a whole round leaves it as it is. */
export function ratioByRound(numbers, base) {
  if (numbers.length !== base.length) throw new Error(`${numbers.length} rounds cannot be compared with ${base.length}`);
  return median(numbers.map((number, round) => number / base[round]));
}

/** The order of a round: each begins with another contestant, so that none always runs after the same one. */
export function rotate(list, round) {
  const first = round % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}
