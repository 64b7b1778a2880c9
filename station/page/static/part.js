// One part: its surface.
import "./touch.js";
import { Viewer, labelsOf } from "./viewer.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const viewer = new Viewer(labelsOf(read("words")));
viewer.show(document.getElementById("viewer").dataset.source, read("drawn"));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT/.test(event.target.tagName)) return;
  if (viewer.key(event.key)) event.preventDefault();
});
