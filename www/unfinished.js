// The list of unfinished uploads: what each is, how far it came, and the buttons to go on or to discard it.
//
// Hooks for end-to-end tests, kept stable: [data-testid="unfinished"] the section, hidden while there is none;
// [data-testid="unfinished-upload"] one of them, with data-name, and in it, by data-testid: unfinished-amount,
// unfinished-when, unfinished-note, go-on (a button where the browser can read the file by itself, else a file input),
// discard.

import { announce } from "./announce.js";
import * as format from "./format.js";
import { readByHandle } from "./intake.js";
import { serviceById } from "./services.js";

let nextId = 0;

export class UnfinishedList {
  #section;
  #list;
  #records;
  #isOwned;
  #goOn;
  #discard;
  #refreshes = 0;
  /** What stands beside a record, by its key, until it goes. */
  #notes = new Map();

  /**
   * `isOwned(key)` tells whether a card of this page has that upload in hand; `goOn(record, file)` makes one, and
   * `discard(record)` resolves once the upload is gone from the server too.
   */
  constructor(section, { records, isOwned, goOn, discard }) {
    this.#section = section;
    this.#list = section.querySelector("ul");
    this.#records = records;
    this.#isOwned = isOwned;
    this.#goOn = goOn;
    this.#discard = discard;
  }

  /** Shows what there is, from now on. */
  mount() {
    this.#records.onChange(() => this.refresh());
    // How long ago each was changes by itself.
    addEventListener("focus", () => this.refresh());
    this.refresh();
  }

  /** Shows what there is now. */
  async refresh() {
    const refresh = ++this.#refreshes;
    // Where nothing can be kept there is nothing to go on with.
    const records = await this.#records.list().catch(() => []);
    if (refresh !== this.#refreshes) return;
    const rows = records.filter(({ key }) => !this.#isOwned(key));
    const focused = this.#focusedPlace();
    this.#list.replaceChildren(...rows.map((record) => this.#row(record)));
    this.#section.hidden = rows.length === 0;
    this.#restoreFocus(focused);
  }

  #row(record) {
    const row = document.getElementById("unfinished-template").content.firstElementChild.cloneNode(true);
    const find = (name) => row.querySelector(`[data-ref="${name}"]`);
    const id = `unfinished-${nextId++}`;
    row.dataset.name = record.name;
    row.dataset.key = record.key;
    find("name").id = id;
    find("name").textContent = format.fileName(record.name);
    const percent = record.size > 0 ? Math.floor((record.confirmed / record.size) * 100) : 0;
    find("amount").textContent = `${format.bytes(record.confirmed)} of ${format.size(record.size)} (${percent} %)`;
    find("bar").style.transform = `scaleX(${percent / 100})`;
    find("service").textContent = serviceById(record.serviceId)?.name ?? record.serviceId;
    find("when").textContent = format.ago(Date.now() - record.changedAt);
    find("when").dateTime = new Date(record.changedAt).toISOString();
    this.#mountGoOn(row, record, id);
    const discard = find("discard");
    discard.setAttribute("aria-describedby", id);
    discard.addEventListener("click", () => this.#runDiscard(row, discard, record));
    this.#showNote(row, this.#notes.get(record.key) ?? "");
    return row;
  }

  #mountGoOn(row, record, id) {
    const find = (name) => row.querySelector(`[data-ref="${name}"]`);
    const picks = !record.handle || this.#notes.has(record.key);
    const goOn = picks ? find("pick") : find("goOn");
    goOn.dataset.testid = "go-on";
    goOn.setAttribute("aria-describedby", id);
    find("goOn").hidden = picks;
    find("pickBox").hidden = !picks;
    if (!picks) {
      goOn.addEventListener("click", () => this.#goOnByHandle(goOn, record));
      return;
    }
    goOn.id = `${id}-pick`;
    find("pickLabel").htmlFor = goOn.id;
    const which = `Pick ${format.fileName(record.name)} (${format.size(record.size)})`;
    goOn.setAttribute("aria-label", `Go on: ${which}`);
    if (!this.#notes.has(record.key)) find("hint").textContent = `${which} to go on.`;
    goOn.addEventListener("change", () => this.#goOnWith(record, goOn.files[0]));
  }

  async #goOnByHandle(button, record) {
    button.disabled = true;
    try {
      this.#goOnWith(record, await readByHandle(record.handle));
    } catch {
      this.#tell(record, `The browser cannot read ${format.fileName(record.name)} by itself: it was moved or deleted, or is not to be read. Pick it to go on.`);
      await this.refresh();
    }
  }

  #goOnWith(record, file) {
    if (!file) return;
    this.#notes.delete(record.key);
    this.#goOn(record, file);
    this.refresh();
  }

  async #runDiscard(row, button, record) {
    const { nextElementSibling, previousElementSibling } = row;
    button.disabled = true;
    this.#showNote(row, "Discarding…");
    try {
      await this.#discard(record);
      this.#notes.delete(record.key);
      announce(`${format.fileName(record.name)}: discarded.`);
      const neighbour = nextElementSibling ?? previousElementSibling;
      await this.refresh();
      const next = this.#list.querySelector(`[data-key="${CSS.escape(neighbour?.dataset.key ?? "")}"] [data-testid="go-on"]`);
      (next ?? document.getElementById("file-input")).focus();
    } catch (error) {
      button.disabled = false;
      this.#showNote(row, error.message);
      announce(`${format.fileName(record.name)}: ${error.message}`);
    }
  }

  #tell(record, sentence) {
    this.#notes.set(record.key, sentence);
    announce(sentence);
  }

  #showNote(row, sentence) {
    const note = row.querySelector('[data-ref="note"]');
    note.textContent = sentence;
    note.hidden = sentence === "";
  }

  /** Which control of which record has the focus: the list is built anew, and must not take it away. */
  #focusedPlace() {
    const row = document.activeElement?.closest?.("[data-key]");
    return row && this.#list.contains(row) ? [row.dataset.key, document.activeElement.dataset.testid] : undefined;
  }

  #restoreFocus(place) {
    if (!place) return;
    const [key, testId] = place;
    this.#list.querySelector(`[data-key="${CSS.escape(key)}"] [data-testid="${testId}"]`)?.focus();
  }
}
