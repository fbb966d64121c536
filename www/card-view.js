// What a card looks like: its elements, and how each is filled. It knows nothing of sessions.

import { Chart } from "./chart.js";
import * as format from "./format.js";
import { STATE_WORDS, canRetry, errorFacts, errorSentence, retrySentence, warningSentence } from "./words.js";
import { TILE_STATES, Tiles, drawSample } from "./tiles.js";

const RETRIES_SHOWN = 4;
let nextId = 0;

/** Which buttons each state offers; a verdict under way or reached does not change them. */
const BUTTONS = {
  idle: ["abort"],
  starting: ["pause", "abort"],
  uploading: ["pause", "abort"],
  waiting: ["pause", "abort"],
  paused: ["resume", "abort"],
  finishing: ["abort"],
  done: ["remove"],
  failed: ["retry", "remove"],
  aborted: ["retry", "remove"],
};
/** Shown, though disabled, where they cannot be used: the row does not jump while an upload runs. */
const RUNNING = ["idle", "starting", "finishing"];
const ALL_BUTTONS = ["pause", "resume", "retry", "abort", "remove"];

export class CardView {
  #refs = {};
  #legend = new Map();
  #retryCount = 0;
  #tiles;
  #chart;
  #width = 0;
  #ceiling = 1;

  constructor(file, service) {
    this.element = document.getElementById("card-template").content.firstElementChild.cloneNode(true);
    for (const element of this.element.querySelectorAll("[data-ref]")) this.#refs[element.dataset.ref] = element;
    const id = `card-${nextId++}`;
    this.#refs.name.id = id;
    this.name = format.fileName(file.name);
    this.#refs.name.textContent = this.name;
    this.#refs.size.textContent = format.size(file.size);
    this.#refs.service.textContent = service.name;
    this.element.setAttribute("aria-labelledby", id);
    this.#refs.bar.setAttribute("aria-labelledby", id);
    for (const name of ALL_BUTTONS) this.button(name).setAttribute("aria-describedby", id);
    this.#refs.download.setAttribute("aria-describedby", id);
    this.file = file;
    this.service = service;
    this.#tiles = new Tiles(this.#refs.tiles);
    this.#chart = new Chart(this.#refs.chart);
    this.#buildLegend();
    this.#refs.tiles.addEventListener("pointermove", (event) => this.#hint(event));
    this.#refs.tiles.addEventListener("pointerdown", (event) => this.#hint(event));
    this.#refs.tiles.addEventListener("pointerleave", () => { this.#refs.tileHint.textContent = ""; });
  }

  button(name) {
    return this.#refs[name];
  }

  /** Empties the card for a new attempt. */
  reset() {
    this.#retryCount = 0;
    this.#refs.retryList.replaceChildren();
    this.#refs.warning.replaceChildren();
    for (const name of ["retries", "error", "result", "note", "warning", "deleting", "download"]) this.#refs[name].hidden = true;
    const facts = ["code", "retries", "attempts", "resumed", "warnings", "fileId", "sha1Local", "sha1Remote", "verdict"];
    for (const name of facts) delete this.element.dataset[name];
    delete this.#refs.error.dataset.code;
    this.setPartCount(0);
    this.#chart.reset();
    this.drawProgress({ total: this.file.size, confirmed: 0, sent: 0, bytesPerSecond: 0, secondsRemaining: null, parts: { inFlight: 0 } });
    this.drawTiles();
  }

  showState(state, words = STATE_WORDS[state]) {
    this.element.dataset.state = state;
    this.#refs.state.textContent = words;
    this.#offer(BUTTONS[state], RUNNING.includes(state));
  }

  /** Tells whether the server is still being told to delete the session. */
  showDeleting(isDeleting) {
    this.#refs.deleting.hidden = !isDeleting;
  }

  setPartCount(total) {
    this.#tiles.reset(total);
    this.element.dataset.parts = String(total);
  }

  /** Says how many parts may be in flight at once; how many are is the upload's own choice. */
  setCeiling(count) {
    this.#ceiling = count;
  }

  setPart(partNumber, state) {
    this.#tiles.set(partNumber, state);
  }

  /** Takes in how often a part was tried; the most that any part took is shown to who tests the page. */
  noteAttempts(count) {
    if (count > Number(this.element.dataset.attempts ?? 0)) this.element.dataset.attempts = String(count);
  }

  /** Shows parts that were under way as waiting: nothing is on its way any more. */
  settleParts() {
    this.#tiles.settle();
  }

  drawProgress({ total, confirmed, sent, bytesPerSecond, secondsRemaining, parts }) {
    // Of an empty file, everything is there once it is done.
    const share = (part) => (total > 0 ? part / total : Number(this.element.dataset.state === "done"));
    // Rounded down: it says 100 when everything is confirmed, not before.
    const percent = Math.floor(share(confirmed) * 100);
    this.#refs.confirmed.style.transform = `scaleX(${share(confirmed)})`;
    this.#refs.sent.style.transform = `scaleX(${share(sent)})`;
    this.#refs.bar.setAttribute("aria-valuenow", String(percent));
    this.#refs.bar.setAttribute("aria-valuetext", `${percent} %, ${format.bytes(confirmed)} of ${format.size(total)}`);
    setText(this.#refs.amount, `${format.bytes(confirmed)} of ${format.size(total)} (${percent} %)`);
    setText(this.#refs.speed, format.speed(bytesPerSecond));
    setText(this.#refs.left, format.duration(secondsRemaining));
    setText(this.#refs.inFlight, `${parts.inFlight} (limit ${this.#ceiling})`);
  }

  drawTiles() {
    this.#tiles.draw(this.#width);
    for (const [state, element] of this.#legend) setText(element, this.#tiles.count(state).toLocaleString("en"));
    const label = `${format.count(this.#tiles.count("done"), "part")} of ${this.#tiles.total.toLocaleString("en")} done`;
    if (this.#refs.tiles.getAttribute("aria-label") !== label) this.#refs.tiles.setAttribute("aria-label", label);
  }

  /** Takes over a new width of the grid, in CSS pixels; tells whether it has to be drawn again. */
  fitTiles(width) {
    if (width === this.#width) return false;
    this.#width = width;
    this.recolour();
    return true;
  }

  /** Takes the colours of the style sheet afresh, at the next draw. */
  recolour() {
    this.#tiles.invalidate();
    for (const sample of this.#refs.legend.querySelectorAll("canvas")) drawSample(sample, sample.dataset.sample);
  }

  /** The element whose width the grid of tiles takes. */
  get tileRoom() {
    return this.#refs.parts;
  }

  addSample(bytesPerSecond) {
    this.#chart.add(bytesPerSecond);
  }

  drawChart() {
    this.#chart.draw();
    setText(this.#refs.span, `Last ${this.#chart.seconds} s`);
    setText(this.#refs.peak, this.#chart.peak > 0 ? `peak ${format.speed(this.#chart.peak)}` : "");
  }

  addRetry(retry) {
    this.#retryCount += 1;
    this.element.dataset.retries = String(this.#retryCount);
    const item = document.createElement("li");
    item.textContent = retrySentence(retry);
    this.#refs.retryList.prepend(item);
    if (this.#refs.retryList.childElementCount > RETRIES_SHOWN) this.#refs.retryList.lastElementChild.remove();
    this.#refs.retriesTitle.textContent = `Tried again: ${format.count(this.#retryCount, "time")}`;
    this.#refs.retries.hidden = false;
  }

  /** Shows from where the upload goes on. */
  showNote(sentence) {
    this.#refs.note.textContent = sentence;
    this.#refs.note.hidden = false;
  }

  /** Shows what does not stop the upload, in words; returns them. */
  showWarning(warning) {
    const sentence = warningSentence(warning);
    const codes = this.element.dataset.warnings;
    this.element.dataset.warnings = codes ? `${codes} ${warning.code}` : warning.code;
    this.#refs.warning.append(withText("li", sentence));
    this.#refs.warning.hidden = false;
    return sentence;
  }

  /** Shows what went wrong in words, with the facts behind it; returns the words. */
  showError(error, isResumed) {
    const sentence = errorSentence(error, this.file, this.service, isResumed);
    this.#refs.error.dataset.code = error.code ?? "unknown";
    this.element.dataset.code = error.code ?? "unknown";
    this.#refs.errorText.textContent = sentence;
    this.#refs.errorFacts.replaceChildren(...errorFacts(error).flatMap(([term, text]) => [
      withText("dt", term),
      withText("dd", text),
    ]));
    this.#refs.error.hidden = false;
    if (!canRetry(error, this.file, this.service)) this.#offer(BUTTONS.failed.filter((name) => name !== "retry"), false);
    return sentence;
  }

  /** Shows the finished file; `verdict` is comparing, equal, different or unknown. */
  showResult(verdict, words, { local = "", remote = "" } = {}) {
    this.element.dataset.verdict = verdict;
    if (local !== "") this.element.dataset.sha1Local = local;
    if (remote !== "") this.element.dataset.sha1Remote = remote;
    this.#refs.verdict.textContent = words;
    this.#refs.sha1Local.textContent = local || "…";
    this.#refs.sha1Remote.textContent = remote || "…";
    this.#refs.result.hidden = false;
  }

  showDownload(fileId, url) {
    this.element.dataset.fileId = fileId;
    this.#refs.download.href = url;
    this.#refs.download.download = this.file.name;
    this.#refs.download.hidden = false;
  }

  #offer(offered, keepPause) {
    const focused = this.#hasFocus;
    for (const name of ALL_BUTTONS) {
      const button = this.button(name);
      button.disabled = !offered.includes(name);
      button.hidden = button.disabled && !(name === "pause" && keepPause);
    }
    // A button that goes away must not take the keyboard's place on the page with it.
    if (focused && document.activeElement.matches(":disabled, [hidden], body")) {
      this.element.querySelector(".actions :is(button, a):not(:disabled, [hidden])")?.focus();
    }
  }

  get #hasFocus() {
    return this.element.contains(document.activeElement);
  }

  #buildLegend() {
    for (const state of TILE_STATES) {
      const item = document.createElement("li");
      const sample = document.createElement("canvas");
      sample.dataset.sample = state;
      sample.setAttribute("aria-hidden", "true");
      const number = withText("span", "0");
      number.className = "legend-count";
      number.dataset.count = state;
      item.append(sample, number, state);
      this.#legend.set(state, number);
      this.#refs.legend.append(item);
    }
  }

  #hint(event) {
    const found = this.#tiles.partAt(event.offsetX, event.offsetY);
    this.#refs.tileHint.textContent = found ? `Part ${found.part}: ${found.state}` : "";
  }
}

/** Writes only what changed: most figures stay the same from frame to frame. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function withText(tag, text) {
  const element = document.createElement(tag);
  element.textContent = String(text);
  return element;
}
