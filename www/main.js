// Starts the page: loads the module, takes files, keeps the list of cards.

import { announce } from "./announce.js";
import { SAMPLE_MS } from "./chart.js";
import { mountFaults } from "./faults.js";
import { count } from "./format.js";
import { readPresets } from "./presets.js";
import { mountServices } from "./services.js";
import { UploadCard } from "./upload-card.js";

// A consumer of its own for each tab: faults and counts of one do not touch the other.
const consumerId = `demo-${crypto.randomUUID()}`;

document.body.dataset.consumerId = consumerId;

const input = document.getElementById("file-input");
const dropZone = document.getElementById("drop-zone");
const list = document.getElementById("cards");
const notices = document.getElementById("notices");

const presets = readPresets(location.search);
const chosenService = mountServices(document.getElementById("services"), presets.service);
const cards = new Set();
const isBusy = () => [...cards].some((card) => card.isRunning);

presets.problems.forEach(tell);
mountFaults(document.getElementById("faults"), consumerId);
const module = await loadModule();
if (module) takeFiles();

async function loadModule() {
  try {
    if (typeof WebAssembly !== "object") throw new Error("this browser has no WebAssembly");
    const loaded = await import("/pkg/index.js");
    await loaded.default();
    return loaded;
  } catch (error) {
    console.error(error);
    tell(`The upload module could not be loaded, so nothing can be uploaded here: ${error.message}. Is it built, and is WebAssembly allowed in this browser?`);
    dropZone.dataset.unusable = "";
    return undefined;
  }
}

function takeFiles() {
  input.disabled = false;
  dropZone.dataset.ready = "";
  input.addEventListener("change", () => {
    add(input.files);
    // The same file can be chosen again.
    input.value = "";
  });

  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (change) => {
    depth = Math.max(0, depth + change);
    dropZone.toggleAttribute("data-over", depth > 0);
  };
  // The whole page takes the drop: a file let go beside the zone must not replace the page.
  addEventListener("dragenter", (event) => { if (carriesFiles(event)) mark(1); });
  addEventListener("dragleave", (event) => { if (carriesFiles(event)) mark(-1); });
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(-depth);
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (folders.length > 0) tell("Folders cannot be uploaded: drop the files in them.");
    add(items.filter((item) => !folders.includes(item)).map((item) => item.getAsFile()));
  });

  addEventListener("beforeunload", (event) => { if (isBusy()) event.preventDefault(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cards.forEach((card) => card.recolour()));
  setInterval(() => cards.forEach((card) => card.sample()), SAMPLE_MS);
}

function add(files) {
  const service = chosenService();
  const added = Array.from(files, (file) => new UploadCard({
    file,
    service,
    module,
    concurrency: presets.concurrency,
    options: {
      serverUrl: location.origin,
      apiKey: "demo-key",
      appId: "demo-app",
      consumerId,
      serviceId: service.id,
      parentFolderId: "root",
      body: presets.body,
    },
    onRemove: remove,
  }));
  if (added.length === 0) return;
  list.prepend(...added.map((card) => card.element));
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
  (neighbour?.querySelector(".actions :is(button, a):not(:disabled, [hidden])") ?? input).focus();
}

/** Tells the visitor something about the page itself, above everything else. */
function tell(sentence) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.textContent = sentence;
  notices.append(notice);
  announce(sentence);
}
