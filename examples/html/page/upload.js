import init, { UploadError, UploadSession } from "upload-session";

// The emulator takes any key. Behind an upload edge leave out apiKey, appId and consumerId: the edge adds them.
const OPTIONS = {
  serverUrl: "/",
  apiKey: "any",
  appId: "example",
  consumerId: "html",
  serviceId: "dropbox",
  parentFolderId: "root",
};

const element = (id) => document.getElementById(id);
const show = (...ids) => {
  for (const id of ["offer", "pause", "resume", "cancel", "retry"]) element(id).hidden = !ids.includes(id);
};
const say = (text, isError = false) => {
  element("status").textContent = text;
  element("status").classList.toggle("error", isError);
};

/** The upload on the page: `session` once there is one, and what it is of. */
let file, session;

async function pick(picked) {
  if (!picked || element("file").disabled) return;
  file = picked;
  element("upload").hidden = false;
  element("name").textContent = file.name;
  element("bar").value = 0;
  try {
    // What a reload or a crash interrupted is found again by the file itself.
    session = await UploadSession.resume(file, OPTIONS);
  } catch (error) {
    return fail(error);
  }
  if (!session) return run(new UploadSession(file, OPTIONS));
  say("The upload of this file was left off in the middle.");
  show("offer");
}

async function run(started) {
  session = started;
  element("file").disabled = true;
  session.on("progress", ({ confirmed, sent, total, bytesPerSecond }) => {
    if (session.state !== "uploading") return;
    element("bar").value = total ? sent / total : 1;
    say(`${percent(confirmed / total)}, ${(bytesPerSecond / 1e6).toFixed(1)} MB/s`);
  });
  session.on("state", ({ state }) => {
    if (["starting", "uploading", "waiting", "paused"].includes(state)) show(state === "paused" ? "resume" : "pause", "cancel");
    if (state === "paused") say("Paused.");
    if (state === "waiting") say("No network: the upload goes on by itself.");
  });
  try {
    const { id } = await session.start();
    element("bar").value = 1;
    say(`Done: the file's id is ${id}.`);
    show();
  } catch (error) {
    fail(error);
  } finally {
    element("file").disabled = false;
  }
}

function fail(error) {
  if (!(error instanceof UploadError)) throw error;
  if (error.code === "aborted") {
    say("Cancelled.");
    return show();
  }
  say(error.message, true);
  // What may work later, or after a login, is kept on the server, to go on from; of anything else nothing is left there.
  if (!error.retryable && error.code !== "unauthorized") session?.abort();
  show("retry");
}

const percent = (share) => `${Math.round(100 * (share || 0))} %`;

element("file").addEventListener("change", ({ target }) => {
  pick(target.files[0]);
  // The same file may be chosen once more.
  target.value = "";
});
element("pause").addEventListener("click", () => session.pause());
element("resume").addEventListener("click", () => session.resume());
element("cancel").addEventListener("click", () => session.abort());
element("retry").addEventListener("click", () => pick(file));
element("go-on").addEventListener("click", () => run(session));
element("start-over").addEventListener("click", async () => {
  await session.abort();
  run(new UploadSession(file, OPTIONS));
});

for (const event of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(event, (dropped) => {
    dropped.preventDefault();
    element("drop").classList.toggle("over", event === "dragover");
    if (event === "drop") pick(dropped.dataTransfer.files[0]);
  });
}

await init();
element("file").disabled = false;
