// What the page remembers from visit to visit: whose uploads these are, and which storage was chosen last.

/** Returns what was remembered under a name; undefined where there is nothing, or nothing can be. */
export function recall(name) {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a text, where the browser lets it. */
export function remember(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch {
    // Cookies and storage are blocked: the next visit begins anew.
  }
}
