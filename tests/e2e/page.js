// The demo page as a visitor meets it. The hooks it uses are documented in www/upload-card.js.

import { randomUUID } from "node:crypto";
import { By, until } from "selenium-webdriver";
import { EDGE_MIB, LARGE_MIB } from "./harness.js";

/** How long an upload may take at most, in milliseconds: a slow machine still moves 5 MiB a second. */
const PATIENCE_MS = 60_000 + Math.max(LARGE_MIB, EDGE_MIB) * 200;

const byTestId = (id) => By.css(`[data-testid="${id}"]`);

export class DemoPage {
  /** Opens the page afresh, for example with "?service=dropbox", as a consumer that is new to the emulator or was given. */
  static async open(driver, emulator, query = "", consumerId = `e2e-${randomUUID()}`) {
    const page = new DemoPage(driver, emulator, consumerId);
    await page.#load(emulator.address, query);
    await page.#waitUntilReady();
    return page;
  }

  /** Opens the page as an upload edge serves it, and signs in as somebody new. */
  static async openAtEdge(driver, emulator, address, query) {
    const page = new DemoPage(driver, emulator, `e2e-${randomUUID()}`);
    await page.#load(address, query);
    await page.#signIn();
    return page;
  }

  /** Signs out, and in as somebody new. */
  async changeVisitor() {
    await this.element("sign-out").click();
    await this.driver.wait(until.elementLocated(By.css('[data-testid="sign-in-form"]:not([hidden])')), PATIENCE_MS, "still signed in");
    this.consumerId = `e2e-${randomUUID()}`;
    await this.#load(await this.driver.executeScript("return location.origin"), "");
    await this.#signIn();
  }

  #load(address, query) {
    return this.driver.get(`${address}/${query}${query === "" ? "?" : "&"}consumer=${this.consumerId}`);
  }

  async #signIn() {
    await this.waitForAccount();
    await this.element("sign-in").click();
    await this.#waitUntilReady();
  }

  /** What the page says of who is signed in, once it does. */
  async waitForAccount() {
    const shown = until.elementLocated(By.css('[data-testid="account"]:not([hidden])'));
    await this.driver.wait(shown, PATIENCE_MS, "the page does not say who is signed in");
    return this.element("account-name").getText();
  }

  /** Loads the same page again, uploads or not. */
  async reload() {
    await this.driver.navigate().refresh();
    await this.#waitUntilReady();
  }

  async #waitUntilReady() {
    const ready = until.elementLocated(By.css("#drop-zone[data-ready]"));
    await this.driver.wait(ready, PATIENCE_MS, "the module did not load");
  }

  constructor(driver, emulator, consumerId) {
    this.driver = driver;
    this.emulator = emulator;
    this.consumerId = consumerId;
  }

  stats() {
    return this.emulator.stats(this.consumerId);
  }

  element(testId) {
    return this.driver.findElement(byTestId(testId));
  }

  /** Picks files through the page's own input; returns their cards in the same order. */
  async pick(...files) {
    await this.driver.findElement(By.id("file-input")).sendKeys(files.map((file) => file.path).join("\n"));
    return Promise.all(files.map((file) => this.card(file.name)));
  }

  /** Gives the page's own input a small file of any name, even one that no disk could hold; returns its card. */
  async drop(name) {
    await this.driver.executeScript((fileName) => {
      const input = document.getElementById("file-input");
      const transfer = new DataTransfer();
      transfer.items.add(new File(["some bytes"], fileName));
      input.files = transfer.files;
      input.dispatchEvent(new Event("change"));
    }, name);
    return new Card(this, await this.element("card"));
  }

  /** Drops a file on the page as a hand would (in Chromium), so that the browser gives a handle with it; returns its card. */
  async dropFile(file) {
    const { x, y } = await this.element("drop-zone").getRect();
    const data = { items: [], files: [file.path], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await this.driver.sendDevToolsCommand("Input.dispatchDragEvent", { type, x: Math.ceil(x) + 5, y: Math.ceil(y) + 5, data });
    }
    return this.card(file.name);
  }

  async card(name) {
    const found = until.elementLocated(By.css(`[data-testid="card"][data-name="${name}"]`));
    return new Card(this, await this.driver.wait(found, PATIENCE_MS, `no card for ${name}`));
  }

  /** The entry of a file in the list of unfinished uploads, once it is there. */
  async unfinished(name) {
    const found = until.elementLocated(By.css(`[data-testid="unfinished-upload"][data-name="${name}"]`));
    await this.driver.wait(found, PATIENCE_MS, `${name} is not among the unfinished uploads`);
    return new Unfinished(this, name);
  }

  /** Waits until there are so many unfinished uploads on the page. */
  async waitForUnfinished(count) {
    const entries = () => this.driver.findElements(byTestId("unfinished-upload"));
    await this.driver.wait(async () => (await entries()).length === count, PATIENCE_MS, `never ${count} unfinished uploads`);
  }

  /** The records that the page keeps in its database. */
  records() {
    return this.driver.executeAsyncScript((done) => {
      const opening = indexedDB.open("upload-session-demo");
      opening.onsuccess = () => {
        const database = opening.result;
        if (!database.objectStoreNames.contains("uploads")) return done([]);
        const request = database.transaction("uploads").objectStore("uploads").getAll();
        request.onsuccess = () => {
          database.close();
          done(request.result.map(({ handle, ...record }) => ({ ...record, hasHandle: handle !== undefined })));
        };
      };
    });
  }

  /**
   * The record of this page's one unfinished upload; `acknowledged` has the numbers of the parts that it counts as done,
   * `confirmed` their bytes.
   */
  async record() {
    const [record] = (await this.records()).filter(({ consumerId }) => consumerId === this.consumerId);
    if (!record) return undefined;
    const { acknowledged, partSize, size } = record.snapshot;
    const parts = ([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const confirmed = acknowledged.reduce((sum, [first, last]) => sum + Math.min((last + 1) * partSize, size) - first * partSize, 0);
    return { ...record, acknowledged: new Set(acknowledged.flatMap(parts)), confirmed };
  }

  /** Waits until the emulator's view of this tab is as asked; returns that view. */
  async waitForStats(isSo, what) {
    let stats;
    await this.driver.wait(async () => isSo((stats = await this.stats())), PATIENCE_MS, `never seen by the emulator: ${what}`);
    return stats;
  }

  /** Waits for the next frames of the page, so that whatever it still had in hand would have been done. */
  frames(count) {
    return this.driver.executeAsyncScript((left, done) => {
      const next = () => (left-- > 0 ? requestAnimationFrame(next) : done());
      next();
    }, count);
  }

  /** What stands in the live region for screen readers, once it says so. */
  waitForAnnouncement(pattern) {
    return this.driver.wait(until.elementTextMatches(this.element("announcer"), pattern), PATIENCE_MS);
  }
}

/** An entry of the list of unfinished uploads, found anew at every step: the list is built anew whenever it changes. */
class Unfinished {
  constructor(page, name) {
    this.page = page;
    this.name = name;
  }

  part(testId) {
    const row = By.css(`[data-testid="unfinished-upload"][data-name="${this.name}"] [data-testid="${testId}"]`);
    return this.page.driver.findElement(row);
  }

  text(testId) {
    return this.part(testId).getText();
  }

  /** Goes on, with this file where the page has to be given it; returns the card. */
  async goOn(file) {
    const control = this.part("go-on");
    if ((await control.getTagName()) === "input") await control.sendKeys(file.path);
    else await control.click();
    return this.page.card(file.name);
  }
}

export class Card {
  constructor(page, element) {
    this.page = page;
    this.element = element;
  }

  data(name) {
    return this.element.getAttribute(`data-${name}`);
  }

  part(testId) {
    return this.element.findElement(byTestId(testId));
  }

  async text(testId) {
    return this.part(testId).getText();
  }

  click(button) {
    return this.part(button).click();
  }

  /** The buttons that a visitor can use now. */
  async buttons() {
    const all = await this.element.findElements(By.css(".actions button"));
    const usable = [];
    for (const button of all) {
      if ((await button.isDisplayed()) && (await button.isEnabled())) usable.push(await button.getAttribute("data-testid"));
    }
    return usable;
  }

  /** Waits for a state; an upload that fails meanwhile fails the test with its own words. */
  async waitFor(state) {
    const isThere = async () => {
      if (state !== "failed") await this.#assertRuns();
      return (await this.data("state")) === state;
    };
    await this.page.driver.wait(isThere, PATIENCE_MS, `${await this.data("name")} did not come to be ${state}`);
    return this;
  }

  async #assertRuns() {
    if ((await this.data("state")) === "failed" && (await this.data("code"))) {
      throw new Error(`the upload failed: ${await this.part("error").getAttribute("textContent")}`);
    }
  }

  /** Waits until the server is told to delete the session of an upload that was aborted. */
  async waitForDeletion() {
    const note = this.part("deleting");
    await this.page.driver.wait(async () => !(await note.isDisplayed()), PATIENCE_MS, "the session was never deleted");
  }

  /** How many parts the legend counts in a state. */
  async partsIn(state) {
    return Number((await this.element.findElement(By.css(`[data-count="${state}"]`)).getText()).replaceAll(",", ""));
  }

  /** Waits until so many parts are confirmed. */
  async waitForParts(count) {
    const areDone = async () => {
      await this.#assertRuns();
      return (await this.partsIn("done")) >= count;
    };
    await this.page.driver.wait(areDone, PATIENCE_MS, `${count} parts were never done`);
  }

  /** Waits until the page has compared both ends; returns the verdict. */
  async verdict() {
    await this.waitFor("done");
    // The state is told before the promise of the file is kept, which the comparison begins with.
    const isCompared = async () => ![null, "comparing"].includes(await this.data("verdict"));
    await this.page.driver.wait(isCompared, PATIENCE_MS, "both ends were never compared");
    return this.data("verdict");
  }
}
