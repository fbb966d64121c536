import init from "upload-session/worker";
import { Card } from "./card.js";

const input = document.getElementById("files");
const drop = document.getElementById("drop");

function add(files) {
  if (input.disabled) return;
  for (const file of files) document.getElementById("uploads").append(new Card(file).element);
}

input.addEventListener("change", () => {
  add(input.files);
  // The same file may be chosen once more.
  input.value = "";
});

for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") add(event.dataTransfer.files);
  });
}

await init();
input.disabled = false;
