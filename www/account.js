// Who the visitor is, where an upload edge stands between this page and the API: it marks the page, signs visitors in, and
// holds the key. Without an edge the page talks to the API itself, and none of this shows.
//
// Hooks for end-to-end tests, kept stable: [data-testid="account"] the control, and in it sign-in-name, sign-in and sign-out.

/** Asks the edge who is signed in: {name}, null where nobody is; undefined where there is no edge. */
export async function readAccount() {
  if (document.documentElement.dataset.edge === undefined) return undefined;
  const response = await fetch("/session");
  if (!response.ok) throw new Error(`The edge does not tell who is signed in: it answered ${response.status}.`);
  return response.json();
}

/** Shows the control that signs in, under `name` unless the visitor writes another, and out. The page begins anew with either. */
export function mountAccount(element, account, name) {
  const find = (testId) => element.querySelector(`[data-testid="${testId}"]`);
  element.hidden = false;
  find("sign-in-form").hidden = account.name !== null;
  find("sign-out").hidden = account.name === null;
  find("account-name").textContent = account.name === null ? "Nobody is signed in" : `Signed in as ${account.name}`;
  find("sign-in-name").value = name;
  find("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    post("/login", { name: find("sign-in-name").value });
  });
  find("sign-out").addEventListener("click", () => post("/logout", {}));
}

async function post(path, body) {
  await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  location.reload();
}
