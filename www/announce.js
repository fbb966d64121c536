// The page's one polite live region. It speaks changes of state, never progress.

const GATHER_MS = 250;

let waiting = [];

/** Says a sentence to screen readers; what comes at the same moment is said together. */
export function announce(sentence) {
  waiting.push(sentence);
  if (waiting.length > 1) return;
  setTimeout(() => {
    document.getElementById("announcer").textContent = waiting.join(" ");
    waiting = [];
  }, GATHER_MS);
}
