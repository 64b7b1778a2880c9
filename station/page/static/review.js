// Review: the queue, the part that is looked at, and what is said of it. A part can be chosen only while it is shown, so
// that nothing is labelled that nobody has looked at.
import "./touch.js";
import { plantClock } from "./clock.js";
import { Viewer, labelsOf } from "./viewer.js";

const words = JSON.parse(document.getElementById("words").textContent);
const labels = labelsOf(words);
const viewer = new Viewer(labels);
const byId = (id) => document.getElementById(id);
const clock = plantClock({ dateStyle: "short", timeStyle: "medium" });
const state = { which: "review", parts: [], left: 0, at: 0, shown: null, chosen: new Map(), done: [] };

async function ask(path, sent) {
  const options = sent && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(sent) };
  const answer = await fetch(path, { cache: "no-store", ...options }).catch(() => null);
  if (answer?.status === 401) location.assign("/sign-in");
  if (answer?.ok) {
    byId("refused").hidden = true;
    return answer.json();
  }
  byId("refused").hidden = false;
  byId("refused").textContent = answer ? (await answer.json().catch(() => ({ refused: answer.status }))).refused : words.not_sent;
  return null;
}

async function load() {
  const found = await ask(`/review/queue?which=${state.which}`);
  if (!found) return;
  Object.assign(state, { parts: found.parts, left: found.left, at: 0 });
  state.chosen.clear();
  draw();
  await look();
}

function draw() {
  byId("left").textContent = state.left;
  byId("chosen").textContent = state.chosen.size ? `${state.chosen.size} ${words.chosen}` : "";
  byId("queue").replaceChildren(...state.parts.map((part, index) => {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", index === state.at);
    item.dataset.index = index;
    if (state.chosen.has(part.inspection_id)) item.dataset.chosen = "";
    const [name, why] = [document.createElement("b"), document.createElement("span")];
    name.textContent = `${state.chosen.has(part.inspection_id) ? "☑ " : ""}${part.part_id}`;
    why.textContent = whyOf(part);
    item.append(name, why);
    return item;
  }));
  byId("queue").querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  byId("undo").disabled = state.done.length === 0;
}

// Why the part is in the queue.
function whyOf(part) {
  return [words[part.opinion], part.why || `${labels.of(part.verdict)} ${part.confidence}`].filter(Boolean).join(" · ");
}

async function look() {
  const wanted = state.parts[state.at];
  state.shown = null;
  for (const button of byId("answers").querySelectorAll("button:not(#undo)")) button.disabled = true;
  if (!wanted) {
    byId("part").textContent = words.none;
    byId("facts").textContent = words.elsewhere;
    byId("part").removeAttribute("href");
    for (const id of ["why", "detail", "suggested"]) byId(id).textContent = "";
    viewer.clear();
    return;
  }
  const part = await ask(`/review/parts/${wanted.inspection_id}`);
  if (!part || state.parts[state.at] !== wanted) return;
  state.shown = part;
  byId("part").textContent = part.part_id;
  byId("part").href = `/parts/${part.inspection_id}`;
  byId("facts").textContent = [part.part_type, clock.format(new Date(part.entered_at)), labels.of(part.verdict)].join(" · ");
  byId("why").textContent = whyOf({ ...wanted, why: part.why });
  byId("detail").textContent = part.detail;
  byId("suggested").textContent = part.suggestion ? labels.of(part.suggestion) : "";
  for (const button of byId("answers").querySelectorAll("button:not(#undo)")) button.disabled = false;
  byId("accept").disabled = !part.suggestion;
  picture(wanted, part);
}

// The part's surface, asked for again while its scan is on its way to the archive; what is shown can be answered meanwhile.
function picture(wanted, part) {
  viewer.show(`/parts/${part.inspection_id}/surface.png`, part.drawn, async () => {
    const now = await ask(`/review/parts/${part.inspection_id}`);
    if (now && state.parts[state.at] === wanted) picture(wanted, now);
  });
}

function go(by) {
  const at = Math.min(Math.max(state.at + by, 0), Math.max(state.parts.length - 1, 0));
  if (at === state.at && state.shown) return;
  state.at = at;
  draw();
  look();
}

function choose() {
  if (!state.shown) return;
  const { inspection_id: id, suggestion } = state.shown;
  if (state.chosen.has(id)) state.chosen.delete(id);
  else state.chosen.set(id, suggestion);
  go(1);
  draw();
}

// What is said, of all that are chosen, or of the one that is shown; without a name the suggestion of each is accepted.
async function say(name) {
  if (!state.shown) return;
  const meant = state.chosen.size ? state.chosen : new Map([[state.shown.inspection_id, state.shown.suggestion]]);
  const wishes = Object.fromEntries([...meant].map(([id, suggested]) => [id, name || suggested]));
  if (Object.values(wishes).some((wish) => !wish)) return;
  const answer = await ask("/review/labels", { labels: wishes });
  if (!answer) return;
  state.done.push(answer.before);
  const gone = new Set(Object.keys(wishes));
  state.parts = state.parts.filter((part) => !gone.has(part.inspection_id));
  state.left -= gone.size;
  state.chosen.clear();
  state.at = Math.min(state.at, Math.max(state.parts.length - 1, 0));
  byId("said").textContent = `${words.said}: ${[...gone].length} · ${[...new Set(Object.values(wishes))].map(labels.of).join(", ")}`;
  draw();
  await look();
}

async function undo() {
  const last = state.done.at(-1);
  if (!last || !(await ask("/review/labels", { labels: last }))) return;
  state.done.pop();
  await load();
  byId("said").textContent = words.undone;
  const at = state.parts.findIndex((part) => part.inspection_id in last);
  if (at > 0) go(at - state.at);
}

const KEYS = {
  ArrowDown: () => go(1), j: () => go(1), s: () => go(1), ArrowUp: () => go(-1), k: () => go(-1),
  Enter: () => say(""), a: () => say(""), x: choose, u: undo,
  d: () => say(words.built_in[0]), c: () => say(words.built_in[1]),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || /INPUT|SELECT/.test(event.target.tagName)) return;
  if (event.key === "Enter" && /^(BUTTON|A)$/.test(event.target.tagName)) return;
  const digit = /^[1-9]$/.test(event.key) && words.choices[Number(event.key) - 1];
  const known = digit ? () => say(digit) : KEYS[event.key];
  if (known) known();
  else if (!viewer.key(event.key)) return;
  event.preventDefault();
});

byId("answers").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { answer, do: act } = button.dataset;
  if (act) ({ skip: () => go(1), choose, undo })[act]();
  else say(answer);
  button.blur();
});

byId("queue").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) go(Number(item.dataset.index) - state.at);
});

for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.addEventListener("click", () => {
    for (const one of document.querySelectorAll("[role=tab]")) one.setAttribute("aria-selected", one === tab);
    state.which = tab.dataset.which;
    tab.blur(); // so that Enter is the part's again
    load();
  });
}

load();
