// One part: its surface, where the network sees what it says, and what the person says of it.
import { askGrounds } from "./grounds.js";
import "./touch.js";
import { Viewer, labelsOf } from "./viewer.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const byId = (id) => document.getElementById(id);
const words = read("words");
const labels = labelsOf(words);
const viewer = new Viewer(labels);
viewer.show(byId("viewer").dataset.source, read("drawn"), () => byId("note")?.value || location.reload());

function refuse(why) {
  byId("refused").hidden = false;
  byId("refused").textContent = why;
}

// Afterwards the page is another: what people say of the part, and whether anybody learns from it.
async function say(name) {
  const sent = { labels: { [byId("answers").dataset.inspection]: name }, note: byId("note").value };
  const answer = await fetch("/review/labels", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(sent),
  }).catch(() => null);
  if (answer?.ok) location.reload();
  else if (answer?.status === 401) location.assign("/sign-in");
  else refuse(answer ? (await answer.json().catch(() => ({ refused: answer.status }))).refused : words.not_sent);
}

function keyOf(key) {
  const digit = /^[1-9]$/.test(key) && words.choices[Number(key) - 1];
  return digit || { d: words.built_in[0], c: words.built_in[1] }[key];
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || /INPUT|SELECT/.test(event.target.tagName)) return;
  const name = byId("answers") && keyOf(event.key);
  if (name) say(name);
  else if (!viewer.key(event.key)) return;
  event.preventDefault();
});

byId("answers")?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) say(button.dataset.answer);
});

byId("ask-grounds")?.addEventListener("click", (event) => askGrounds(event.currentTarget, words, labels));
