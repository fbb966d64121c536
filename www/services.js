// The connector profiles that the emulator plays, and what each means to someone who picks it. `minimumSize` is what its
// upload sessions begin at, in bytes: smaller files go in one request.

// The first is the default: it takes files of any size.
export const SERVICES = [
  { id: "dropbox", name: "Dropbox", hint: "parts in parallel", minimumSize: 0 },
  { id: "box", name: "Box", hint: "parts in parallel", minimumSize: 20_000_000 },
  { id: "google-drive", name: "Google Drive", hint: "parts in order", minimumSize: 0 },
  { id: "onedrive", name: "OneDrive", hint: "parts in order", minimumSize: 0 },
  { id: "sharepoint", name: "SharePoint", hint: "parts in order", minimumSize: 0 },
];

/** Finds a profile by its `x-apideck-service-id`. */
export function serviceById(id) {
  return SERVICES.find((service) => service.id === id);
}

/** Fills a fieldset with one radio button a profile; the returned function tells the one chosen, as does `onChoose`. */
export function mountServices(fieldset, chosenId, onChoose) {
  for (const service of SERVICES) {
    const label = document.createElement("label");
    label.className = "service";
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = "service";
    radio.value = service.id;
    radio.checked = service.id === chosenId;
    radio.dataset.testid = `service-${service.id}`;
    const name = document.createElement("span");
    name.className = "service-name";
    name.textContent = service.name;
    const hint = document.createElement("span");
    hint.className = "muted";
    hint.textContent = service.hint;
    label.append(radio, name, hint);
    fieldset.append(label);
  }
  fieldset.addEventListener("change", (event) => onChoose(event.target.value));
  return () => serviceById(fieldset.querySelector("input:checked").value);
}
