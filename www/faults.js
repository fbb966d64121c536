// The panel that makes the emulator misbehave, for this visitor's uploads alone.

import { announce } from "./announce.js";
import { size } from "./format.js";
import { drawInNextFrame } from "./frame.js";

const FAULTS_URL = "/_emulator/faults";
const SETTINGS_URL = "/_emulator/settings";
const REFRESH_MS = 700;

/** One entry a button: what is sent to the emulator, and the words for what is still to come. */
const FAULTS = {
  "server-error": { words: "server error (503)", fault: { kind: "status", status: 503 } },
  cut: { words: "cut connection", fault: { kind: "reset", when: "mid_body" } },
  "lost-answer": { words: "lost answer", fault: { kind: "lost_answer" } },
  "rate-limit": {
    words: "rate limit (429, wait 2 s)",
    fault: { kind: "status", status: 429, headers: { "retry-after": "2" } },
  },
};

/** Bytes per second; null is as fast as it goes. */
const RATES = [null, 20_000_000, 5_000_000, 1_000_000];

/** Brings the panel to life. */
export function mountFaults(panel, consumerId) {
  const find = (selector) => panel.querySelector(selector);
  const times = find("#fault-times");
  const rate = find("#fault-rate");
  const list = find("#scripted");
  const problem = find("#fault-error");
  const mine = `?consumer_id=${encodeURIComponent(consumerId)}`;

  for (const value of RATES) {
    rate.append(new Option(value === null ? "As fast as it goes" : `${size(value)}/s`, value ?? ""));
  }

  const tell = async (action) => {
    try {
      await action();
      problem.hidden = true;
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  };

  const refresh = async () => {
    const scripted = await call("GET", FAULTS_URL + mine);
    drawInNextFrame(() => showScripted(list, scripted));
  };

  for (const button of panel.querySelectorAll("[data-fault]")) {
    const { words, fault } = FAULTS[button.dataset.fault];
    const script = async () => {
      const entry = { operation: "upload", consumer_id: consumerId, times: times.valueAsNumber, fault };
      await call("POST", FAULTS_URL, [entry]);
      announce(`Scripted: ${entry.times} × ${words}.`);
      await refresh();
    };
    button.addEventListener("click", () => { if (times.reportValidity()) tell(script); });
  }

  rate.addEventListener("change", () => tell(async () => {
    await call("POST", SETTINGS_URL, { consumer_id: consumerId, rate: rate.value === "" ? null : Number(rate.value) });
    announce(`Speed of the link: ${rate.selectedOptions[0].text}.`);
  }));

  find("#fault-clear").addEventListener("click", () => tell(async () => {
    await call("DELETE", FAULTS_URL + mine);
    await call("POST", SETTINGS_URL, { consumer_id: consumerId, rate: null });
    rate.value = "";
    announce("All faults cleared.");
    await refresh();
  }));

  setInterval(() => {
    // Whatever is scripted may be used up at any time, by an upload shorter than this interval too.
    if (list.dataset.count !== "0" && !document.hidden) tell(refresh);
  }, REFRESH_MS);
  tell(refresh);
  // What an earlier visit chose still counts.
  tell(async () => {
    const { rate: now } = await call("POST", SETTINGS_URL, { consumer_id: consumerId });
    if (RATES.includes(now)) rate.value = now ?? "";
  });
}

/** Asks the emulator; rejects with a sentence that a visitor can read. */
async function call(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => { throw new Error("The emulator cannot be reached. Is it still running?"); });
  if (!response.ok) throw new Error(`The emulator did not take that: it answered ${response.status}.`);
  return response.headers.get("content-type")?.includes("json") ? response.json() : undefined;
}

/** Lists what is still scripted, faults of one kind added up. */
function showScripted(list, scripted) {
  const left = new Map();
  for (const { times, fault } of scripted) {
    const words = wordsFor(fault);
    left.set(words, (left.get(words) ?? 0) + times);
  }
  list.dataset.count = String([...left.values()].reduce((sum, number) => sum + number, 0));
  list.replaceChildren(...[...left].filter(([, number]) => number > 0).map(([words, number]) => {
    const item = document.createElement("li");
    item.textContent = `${number} × ${words}`;
    return item;
  }));
  if (list.childElementCount === 0) {
    const item = document.createElement("li");
    item.className = "muted";
    item.textContent = "nothing";
    list.append(item);
  }
}

function wordsFor(fault) {
  const known = Object.values(FAULTS).find((each) => each.fault.kind === fault.kind && each.fault.status === fault.status);
  return known?.words ?? [fault.kind, fault.status].join(" ").trim();
}
