// Starts the page: loads the module, takes files, keeps the list of cards and that of unfinished uploads.

import { mountAccount, readAccount } from "./account.js";
import { announce } from "./announce.js";
import { SAMPLE_MS } from "./chart.js";
import { discard } from "./discard.js";
import { mountFaults } from "./faults.js";
import { count } from "./format.js";
import { mountIntake } from "./intake.js";
import { mountOptions } from "./options.js";
import { readPresets } from "./presets.js";
import { Records } from "./records.js";
import { recall, remember } from "./remembered.js";
import { mountServices, serviceById } from "./services.js";
import { UnfinishedList } from "./unfinished.js";
import { UploadCard } from "./upload-card.js";

const element = (id) => document.getElementById(id);
const input = element("file-input");
const dropZone = element("drop-zone");

// The visitor is the same from visit to visit, as a customer who signed in is: what one left off, the next goes on with.
const visitor = recall("consumer") ?? `demo-${crypto.randomUUID()}`;
remember("consumer", visitor);

const presets = readPresets(location.search, { service: recall("service"), consumer: visitor });
const account = await readAccount();
const consumerId = account?.name ?? presets.consumer;
document.body.dataset.consumerId = consumerId;

// An edge knows who is signed in, and adds the rest.
const connection = account
  ? { serverUrl: location.origin }
  : { serverUrl: location.origin, apiKey: "demo-key", appId: "demo-app", consumerId };
const chosenService = mountServices(element("services"), presets.service, (id) => remember("service", id));
const chosenOptions = mountOptions(element("options"), presets);
const records = new Records(consumerId);
const cards = new Set();
const isBusy = () => [...cards].some((card) => card.isRunning);

presets.problems.forEach(tell);
if (account) mountAccount(element("account"), account, presets.consumer);
// Without an edge nobody has to.
const isSignedIn = account?.name !== null;
element("faults").hidden = !isSignedIn;
if (isSignedIn) mountFaults(element("faults"), consumerId);
const module = await loadModule();
const unfinished = new UnfinishedList(element("unfinished"), {
  records,
  isOwned: (key) => [...cards].some((card) => card.recordKey === key),
  goOn: (record, file) => add([{ file, record }], serviceById(record.serviceId)),
  discard: (record) => discard(record, { records, connection, UploadSessionsApi: module.UploadSessionsApi }),
});
if (!isSignedIn) close("Sign in to upload files.");
else if (module) start();

async function loadModule() {
  try {
    if (typeof WebAssembly !== "object") throw new Error("this browser has no WebAssembly");
    const loaded = await import("/pkg/index.js");
    await loaded.default();
    return loaded;
  } catch (error) {
    console.error(error);
    close(`The upload module could not be loaded, so nothing can be uploaded here: ${error.message}. Is it built, and is WebAssembly allowed in this browser?`);
    return undefined;
  }
}

/** Takes no files, and tells why. */
function close(reason) {
  tell(reason);
  dropZone.dataset.unusable = "";
}

function start() {
  unfinished.mount();
  mountIntake({ input, dropZone, add, tell });
  addEventListener("beforeunload", (event) => { if (isBusy()) event.preventDefault(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cards.forEach((card) => card.recolour()));
  setInterval(() => cards.forEach((card) => card.sample()), SAMPLE_MS);
}

/** Makes a card for each of [{file, handle?, record?}], and runs them. */
function add(files, service = chosenService()) {
  const added = files.map(({ file, handle, record }) => new UploadCard({
    file,
    handle,
    record,
    service,
    records,
    module,
    concurrency: presets.concurrency,
    options: {
      ...connection,
      ...chosenOptions(),
      serviceId: service.id,
      parentFolderId: "root",
      body: presets.body,
      direct: presets.direct,
      stallTimeout: presets.stallTimeout,
    },
    onSettle: () => unfinished.refresh(),
    onRemove: remove,
  }));
  if (added.length === 0) return;
  element("cards").prepend(...added.map((card) => card.element));
  announce(`${count(added.length, "file")} added.`);
  for (const card of added) {
    cards.add(card);
    card.run();
  }
}

function remove(card) {
  const neighbour = card.element.nextElementSibling ?? card.element.previousElementSibling;
  cards.delete(card);
  card.element.remove();
  unfinished.refresh();
  (neighbour?.querySelector(".actions :is(button, a):not(:disabled, [hidden])") ?? input).focus();
}

/** Tells the visitor something about the page itself, above everything else. */
function tell(sentence) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.textContent = sentence;
  element("notices").append(notice);
  announce(sentence);
}
