// One file's upload: drives an UploadSession and shows it on a card.
//
// Hooks for end-to-end tests, kept stable:
//   [data-testid="card"]      one upload. Its attributes:
//     data-state              the UploadState: idle, starting, uploading, paused, waiting, finishing, done, failed, aborted
//     data-name               the file's name
//     data-retries            how many requests were tried again so far; absent while none was
//     data-attempts           the most attempts that any part has taken so far
//     data-resumed            bytes that were confirmed already, where the upload goes on from an earlier one
//     data-warnings           the codes of all warnings so far
//     data-code               the UploadError's code, once it failed
//     data-file-id            the id of the finished file
//     data-verdict            comparing | equal | different | unknown, once it is done
//     data-sha1-local, data-sha1-remote   both digests in hex, once they are known
//   in the card, by data-testid:
//     name, size, state, progressbar, amount, speed, time-left, in-flight, tiles, legend, chart, note, retries, warning,
//     deleting,
//     error (with data-code), error-text, error-facts, result, verdict, download,
//     and the buttons pause, resume, abort, retry, remove (hidden or disabled where they make no sense)
//   legend [data-count="done"] …   how many parts are in a state
// The list of unfinished uploads has its own (see unfinished.js).
// On the page: body data-consumer-id; transport, restart; file-input (id), drop-zone, notices, announcer, service-<id>, fault-times, fault-server-error,
//   fault-cut, fault-lost-answer, fault-rate-limit, fault-rate, fault-clear, fault-error, scripted (with data-count).

import { announce } from "./announce.js";
import { CardView } from "./card-view.js";
import { compareEnds, copyUrl } from "./compare.js";
import { drawInNextFrame } from "./frame.js";
import { acquireLanes } from "./lanes.js";
import { RecordStore } from "./records.js";
import { GONE_SENTENCE, STATE_WORDS, canRetry, resumedSentence } from "./words.js";

const OVER = ["done", "failed", "aborted"];
/** The module's words for a part, where the page has others. */
const TILE_OF_PART = { queued: "hashed" };

export class UploadCard {
  #file;
  #service;
  #options;
  #concurrency;
  #module;
  #store;
  #snapshot;
  #onSettle;
  #view;
  #session = null;
  /** Whether this attempt is to go on from an earlier one. */
  #isResuming = false;
  #lanes = null;
  #state = "idle";
  /** Counts attempts, so that what comes late from an earlier one is known as such. */
  #attempt = 0;
  #canRetry = false;
  /** Whether the file is stored under a name that the answer which was lost had. */
  #isNameless = false;
  #progress = null;
  /** Bytes of the parts that are done: told at once, where progress is told once a frame. */
  #doneBytes = 0;
  #draw = () => this.#drawProgress();

  /**
   * `options` are the UploadOptions but for `concurrency`, which is shared with the other cards, and `store`;
   * `handle` is the file's, where the browser gave one; `record` is what to go on from, where that is known;
   * `records` are the page's; `module` is the loaded npm package. `onSettle` is called whenever the card may have taken
   * up an upload or let go of it, `onRemove` when the visitor takes the card away.
   */
  constructor({ file, handle, record, service, options, concurrency, records, module, onSettle, onRemove }) {
    this.#file = file;
    this.#service = service;
    this.#options = options;
    this.#concurrency = concurrency;
    this.#module = module;
    this.#snapshot = record?.snapshot;
    this.#onSettle = onSettle;
    const about = { serviceId: service.id, name: file.name, size: file.size, handle };
    this.#store = new RecordStore(records, about, record, () => this.#doneBytes);
    this.#view = new CardView(file, service);
    this.element.dataset.name = file.name;
    const on = (name, action) => this.#view.button(name).addEventListener("click", action);
    on("pause", () => this.#session?.pause());
    on("resume", () => this.#session?.resume());
    on("abort", () => this.#abort());
    on("retry", () => this.#retry());
    on("remove", () => this.#remove(onRemove));
    new ResizeObserver(([entry]) => {
      if (this.#view.fitTiles(entry.contentRect.width)) drawInNextFrame(this.#draw);
    }).observe(this.#view.tileRoom);
  }

  get element() {
    return this.#view.element;
  }

  /** Whether it still has something to do. */
  get isRunning() {
    return !OVER.includes(this.#state);
  }

  /** The key of the record that this card has in hand, running or to be tried again; undefined where there is none. */
  get recordKey() {
    return this.isRunning || this.#canRetry ? this.#store.key : undefined;
  }

  /** Takes one sample for the chart. */
  sample() {
    if (this.#state !== "uploading" && this.#state !== "waiting" && this.#state !== "paused") return;
    if (this.#state === "uploading" && this.#session) this.#progress = this.#session.progress;
    this.#view.addSample(this.#state === "uploading" ? this.#progress.bytesPerSecond : 0);
    drawInNextFrame(this.#draw);
  }

  /** Draws everything again in new colours. */
  recolour() {
    this.#view.recolour();
    drawInNextFrame(this.#draw);
  }

  /** Runs the upload to its end and shows how it ended; never rejects. */
  async run() {
    const attempt = ++this.#attempt;
    this.#view.reset();
    this.#canRetry = false;
    this.#isNameless = false;
    this.#isResuming = false;
    this.#progress = null;
    this.#enter("idle");
    const lanes = await acquireLanes(this.#concurrency);
    try {
      if (attempt !== this.#attempt) return;
      this.#lanes = lanes;
      const session = await this.#open({ ...this.#options, concurrency: lanes.count, store: this.#store });
      if (attempt !== this.#attempt) {
        // It was aborted before it began: what there is to go on with stays for the list.
        session.free();
        return this.#onSettle();
      }
      this.#session = session;
      this.#view.setCeiling(lanes.count);
      this.#listen(session, attempt);
      this.#onSettle();
      const copy = await session.start();
      if (attempt === this.#attempt) this.#showCopy(copy);
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    } finally {
      lanes.release();
    }
  }

  /** Makes a session that goes on from where the upload was left off, where anything is known of that. */
  async #open(options) {
    const { UploadSession } = this.#module;
    const snapshot = this.#snapshot;
    this.#snapshot = undefined;
    const resumed = snapshot
      ? UploadSession.fromSnapshot(this.#file, snapshot, options)
      : await UploadSession.resume(this.#file, options);
    this.#isResuming = resumed !== undefined;
    return resumed ?? new UploadSession(this.#file, options);
  }

  #listen(session, attempt) {
    // A session that was let go still tells of its end, on a card that may have begun anew.
    const on = (name, show) => session.on(name, (detail) => { if (attempt === this.#attempt) show(detail); });
    on("state", ({ state }) => {
      this.#progress = session.progress;
      this.#enter(state);
    });
    on("session", ({ partSize, parallel, resumed }) => {
      if (!parallel) {
        this.#lanes.release(1);
        this.#view.setCeiling(1);
      }
      this.#view.setPartCount(Math.ceil(this.#file.size / partSize));
      this.#doneBytes = 0;
      if (this.#isResuming) this.#tellOrigin(session.progress, resumed);
    });
    on("part", ({ partNumber, start, end, state, attempt: count }) => {
      if (state === "done") this.#doneBytes += end - start;
      this.#view.noteAttempts(count);
      this.#view.setPart(partNumber, TILE_OF_PART[state] ?? state);
      drawInNextFrame(this.#draw);
    });
    on("progress", (progress) => {
      this.#progress = progress;
      drawInNextFrame(this.#draw);
    });
    on("retry", (retry) => this.#view.addRetry(retry));
    on("warning", (warning) => {
      if (warning.code === "file_id_unknown") this.#isNameless = true;
      announce(`${this.#view.name}: ${this.#view.showWarning(warning)}`);
    });
  }

  /** Tells from where the upload goes on: from where it was left off, or from the start where that is gone. */
  #tellOrigin(progress, isResumed) {
    this.#isResuming = isResumed;
    if (isResumed) this.element.dataset.resumed = String(progress.confirmed);
    const sentence = isResumed ? resumedSentence(progress) : GONE_SENTENCE;
    this.#view.showNote(sentence);
    announce(`${this.#view.name}: ${sentence}`);
  }

  #enter(state) {
    if (state === this.#state && state !== "idle") return;
    this.#state = state;
    this.#view.showState(state);
    if (state === "failed" || state === "aborted") this.#view.settleParts();
    drawInNextFrame(this.#draw);
    // How it ended is announced with the reason, or with the verdict, that follow.
    if (state !== "idle" && state !== "done" && state !== "failed") announce(`${this.#view.name}: ${STATE_WORDS[state]}.`);
  }

  #drawProgress() {
    const rest = this.#state === "uploading" ? {} : { bytesPerSecond: 0, secondsRemaining: null };
    if (OVER.includes(this.#state)) rest.sent = this.#progress?.confirmed;
    if (this.#progress) this.#view.drawProgress({ ...this.#progress, ...rest });
    this.#view.drawTiles();
    this.#view.drawChart();
  }

  #fail(error) {
    if (error?.code === "aborted") return this.#enter("aborted");
    this.#enter("failed");
    if (error instanceof this.#module.UploadError === false) console.error(error);
    announce(`${this.#view.name}: Failed. ${this.#view.showError(error, this.#isResuming)}`);
    this.#canRetry = canRetry(error, this.#file, this.#service);
    this.#onSettle();
  }

  async #showCopy({ id }) {
    this.#enter("done");
    this.#release();
    if (this.#isNameless) {
      this.#view.showResult("unknown", "Stored, but not compared: the answer that named the copy was lost.");
      return announce(`${this.#view.name}: ${STATE_WORDS.done}, but not compared.`);
    }
    this.#view.showDownload(id, copyUrl(id));
    this.#view.showResult("comparing", "Comparing both ends…");
    let verdict;
    let words;
    let digests;
    try {
      digests = await compareEnds(this.#file, id, this.#module.sha1Digest);
      verdict = digests.equal ? "equal" : "different";
      words = digests.equal ? "Byte for byte the same" : "The copy differs from this file. Do not rely on it.";
    } catch (error) {
      verdict = "unknown";
      words = `Both ends could not be compared: ${error.message}.`;
    }
    this.#view.showResult(verdict, words, digests);
    announce(`${this.#view.name}: ${STATE_WORDS.done}. ${words}.`);
  }

  #abort() {
    this.#forget();
    this.#enter("aborted");
  }

  #retry() {
    this.#leave();
    this.run();
  }

  #remove(onRemove) {
    this.#leave();
    onRemove(this);
  }

  /** Lets the session go: what a record is kept of can be gone on with; all else goes from the server too. */
  #leave() {
    if (!this.#store.isKept) return this.#forget();
    this.#attempt += 1;
    this.#release();
  }

  /** Lets the session go at once; its deletion on the server, which may take long, goes on behind the card. */
  async #forget() {
    const attempt = ++this.#attempt;
    const session = this.#session;
    this.#session = null;
    if (!session) return;
    // The deletion needs one.
    this.#lanes.release(1);
    this.#view.showDeleting(true);
    try {
      await session.abort();
    } catch (error) {
      console.warn(error);
      if (attempt === this.#attempt) this.#view.showWarning({ code: "session_not_deleted", message: error.message });
    } finally {
      session.free();
      if (attempt === this.#attempt) this.#view.showDeleting(false);
    }
  }

  #release() {
    this.#session?.free();
    this.#session = null;
  }
}
