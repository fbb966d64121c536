// Where files come in: the input, the drop, and the handles by which a browser can read a file again after a reload
// (WICG File System Access), where it has them.

/**
 * Takes files from the input and from drops on the whole page. `add` is called with a list of {file, handle}, where
 * `handle` may be undefined; `tell` with a sentence for the visitor.
 */
export function mountIntake({ input, dropZone, add, tell }) {
  input.disabled = false;
  dropZone.dataset.ready = "";
  input.addEventListener("change", () => {
    add(Array.from(input.files, (file) => ({ file })));
    // The same file can be chosen again.
    input.value = "";
  });
  let hasPicker = typeof showOpenFilePicker === "function";
  input.addEventListener("click", async (event) => {
    if (!hasPicker) return;
    event.preventDefault();
    try {
      const handles = await showOpenFilePicker({ multiple: true });
      add(await Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle }))));
    } catch (error) {
      if (error.name === "AbortError") return;
      // Not allowed here, as in a frame of another site: the input's own picker is.
      hasPicker = false;
      input.click();
    }
  });
  takeDrops({ dropZone, add, tell });
}

function takeDrops({ dropZone, add, tell }) {
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
  addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(-depth);
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const folders = items.filter((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (folders.length > 0) tell("Folders cannot be uploaded: drop the files in them.");
    // Both are asked for at once: what was dropped is out of reach as soon as this event is over.
    const dropped = items.filter((item) => !folders.includes(item)).map((item) => ({
      file: item.getAsFile(),
      handle: item.getAsFileSystemHandle?.(),
    }));
    add(await Promise.all(dropped.map(async ({ file, handle }) => ({ file, handle: await settled(handle) }))));
  });
}

async function settled(handle) {
  try {
    return (await handle) ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a file by its handle, asking the visitor where the browser wants that: call it in a click.
 * Rejects where the file may not be read, or is not there any more.
 */
export async function readByHandle(handle) {
  const mode = { mode: "read" };
  const isGranted = (await handle.queryPermission?.(mode) ?? "granted") === "granted";
  if (!isGranted && (await handle.requestPermission(mode)) !== "granted") throw new Error("not allowed");
  return handle.getFile();
}
