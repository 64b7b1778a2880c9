// Alarms: what stands now, the gravest first, as the station tells it; drawn anew only when something is another.
import { plantClock } from "./clock.js";
import { follow } from "./feed.js";
import { asideOf, askShelf, isWarning } from "./shelf.js";
import "./touch.js";

const words = JSON.parse(document.getElementById("words").textContent);
const byId = (id) => document.getElementById(id);
const clock = plantClock({ dateStyle: "short", timeStyle: "medium" });
let standing = [];
let drawn = "";
let asked = null;

const priority = (alarm) => (alarm.latched ? 1 : isWarning(alarm) ? 3 : 2);
const stateOf = (alarm) => (alarm.active ? (alarm.acknowledged ? "seen" : "active") : "over");

function element(tag, text = "", data = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  Object.assign(made.dataset, data);
  return made;
}

function button(text, press) {
  const made = element("button", text, { control: "" });
  made.addEventListener("click", press);
  return made;
}

function row(alarm) {
  const line = element("tr", "", { code: alarm.code, priority: priority(alarm), state: stateOf(alarm) });
  const what = element("td");
  const link = element("a", `${alarm.code}: ${alarm.text}`);
  link.href = `/faults#${alarm.code}`;
  what.append(link, element("p", [alarm.detail, alarm.count > 1 ? `${alarm.count} ${words.times}` : ""].filter(Boolean).join(" · ")));
  const state = element("td", words.states[stateOf(alarm)]);
  if (alarm.acknowledged_by) state.append(element("p", `${words.by} ${alarm.acknowledged_by}`));
  const acts = element("td");
  if (words.may) acts.append(button(words.answer, () => answer(alarm)));
  line.append(element("td", words.priorities[priority(alarm)]), what, element("td", clock.format(new Date(alarm.raised_at))),
    state, element("td", words.remedies[alarm.code] ?? ""), acts);
  return line;
}

function asideRow(alarm, shelved) {
  const line = element("tr", "", { shelved: alarm.code });
  const acts = element("td");
  if (words.may) acts.append(button(words.back, () => send("/alarms/unshelve", { code: alarm.code })));
  line.append(element("td", `${alarm.code}: ${alarm.text}`),
    element("td", `${shelved.who} ${words.until} ${clock.format(new Date(shelved.until))}: ${shelved.why}`), acts);
  return line;
}

function draw() {
  const aside = asideOf(standing);
  const shape = JSON.stringify([standing, [...aside.values()].map((one) => [one.code, one.until])]);
  if (shape === drawn) return;
  drawn = shape;
  const open = standing.filter((alarm) => !aside.has(alarm.code));
  open.sort((one, other) => priority(one) - priority(other) || one.acknowledged - other.acknowledged);
  const empty = element("tr");
  empty.append(element("td", words.none));
  byId("alarms").replaceChildren(...(open.length ? open.map(row) : [empty]));
  byId("standing").textContent = String(open.length);
  byId("shelf").hidden = aside.size === 0;
  byId("shelved").replaceChildren(...standing.filter((alarm) => aside.has(alarm.code))
    .map((alarm) => asideRow(alarm, aside.get(alarm.code))));
}

function answer(alarm) {
  asked = alarm.code;
  byId("answer-alarm").textContent = `${alarm.code}: ${alarm.text}`;
  byId("answer-detail").textContent = alarm.detail;
  byId("shelving").hidden = !isWarning(alarm);
  byId("answer").querySelector("form").reset();
  byId("answer").showModal();
}

async function send(path, sent) {
  const said = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(sent),
  }).catch(() => null);
  if (said?.status === 401) location.assign("/sign-in");
  byId("refused").hidden = Boolean(said?.ok);
  if (!said?.ok) byId("refused").textContent = said ? (await said.json().catch(() => ({ refused: said.status }))).refused : words.not_sent;
  await askShelf(draw, true);
}

byId("answer")?.querySelector("form").addEventListener("submit", (event) => {
  const { note, minutes } = event.currentTarget.elements;
  const act = event.submitter?.value;
  if (act === "seen") send("/acknowledge", { code: asked, note: note.value });
  if (act === "shelve") send("/alarms/shelve", { code: asked, why: note.value, minutes: Number(minutes.value) });
});

function setControls(dead) {
  for (const control of document.querySelectorAll("[data-control]")) control.disabled = dead;
  document.documentElement.dataset.live = dead ? "no" : "yes";
}

follow((cell) => {
  standing = cell.alarms;
  askShelf(draw);
  draw();
  setControls(false);
}, (since, why) => {
  byId("stale-since").textContent = since ? `${words.since} ${clock.format(since)}` : "";
  byId("stale-why").textContent = why;
  setControls(true);
});
