// The options of an upload that a visitor can choose; they count for files that are added from then on.

/** Shows the presets in the controls; the returned function tells what is chosen now, as UploadOptions. */
export function mountOptions(panel, presets) {
  const transport = panel.querySelector("#transport");
  const restart = panel.querySelector("#restart");
  transport.value = presets.transport;
  restart.checked = presets.restart;
  return () => ({ transport: transport.value, restart: restart.checked });
}
