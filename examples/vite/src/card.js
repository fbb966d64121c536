import { UploadError, UploadSession } from "upload-session/worker";

// The emulator takes any key. Behind an upload edge leave out apiKey, appId and consumerId: the edge adds them.
const OPTIONS = {
  serverUrl: "/",
  apiKey: "any",
  appId: "example",
  consumerId: "vite",
  serviceId: "dropbox",
  parentFolderId: "root",
};

/** One file: how far it is, and what can be done with it. */
export class Card {
  #file;
  #session;
  #bar;
  #status;
  #buttons;

  constructor(file) {
    const { content } = document.getElementById("upload");
    this.element = document.importNode(content, true).firstElementChild;
    this.#file = file;
    this.#bar = this.element.querySelector("progress");
    this.#status = this.element.querySelector(".status");
    this.#buttons = this.element.querySelector(".buttons");
    this.element.querySelector("h2").textContent = file.name;
    this.#bar.setAttribute("aria-label", file.name);
    this.#look();
  }

  /** Looks for what a reload or a crash interrupted: it is found again by the file itself. */
  async #look() {
    try {
      const found = await UploadSession.resume(this.#file, OPTIONS);
      if (!found) return this.#run(new UploadSession(this.#file, OPTIONS));
      this.#show("The upload of this file was left off in the middle.", {
        "Go on": () => this.#run(found),
        "Start over": async () => {
          await found.abort();
          this.#run(new UploadSession(this.#file, OPTIONS));
        },
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  async #run(session) {
    this.#session = session;
    session.on("state", ({ state }) => this.#tell(state));
    session.on("progress", ({ sent, confirmed, total, secondsRemaining }) => {
      this.#bar.value = total ? sent / total : 1;
      const left = secondsRemaining === null ? "" : `, ${Math.ceil(secondsRemaining)} s left`;
      if (session.state === "uploading") this.#status.textContent = `${percent(confirmed / total)}${left}`;
    });
    try {
      const { id } = await session.start();
      this.#bar.value = 1;
      this.#show(`Done: the file's id is ${id}.`);
    } catch (error) {
      this.#fail(error);
    }
  }

  #tell(state) {
    const cancel = { Cancel: () => this.#session.abort() };
    if (state === "paused") this.#show("Paused.", { Resume: () => this.#session.resume(), ...cancel });
    else if (state === "waiting") this.#show("No network: the upload goes on by itself.", cancel);
    else if (state === "starting" || state === "uploading") this.#show("", { Pause: () => this.#session.pause(), ...cancel });
  }

  #fail(error) {
    if (!(error instanceof UploadError)) throw error;
    if (error.code === "aborted") return this.#show("Cancelled.");
    // What may work later, or after a login, is kept on the server, to go on from; of anything else nothing is left there.
    if (!error.retryable && error.code !== "unauthorized") this.#session?.abort();
    this.#show(error.message, { "Try again": () => this.#look() });
    this.#status.classList.add("error");
  }

  #show(status, buttons = {}) {
    this.#status.textContent = status;
    this.#status.classList.remove("error");
    this.#buttons.replaceChildren(...Object.entries(buttons).map(([label, act]) => {
      const button = document.createElement("button");
      button.textContent = label;
      button.addEventListener("click", act);
      return button;
    }));
  }
}

const percent = (share) => `${Math.round(100 * (share || 0))} %`;
