// Live: draws the whole screen from the sections, every time; nothing is kept from one drawing to the next.
import { plantClock } from "./clock.js";
import { follow } from "./feed.js";
import { drawHand } from "./hand.js";
import { asideOf, askShelf } from "./shelf.js";
import { Surface } from "./surface.js";
import "./touch.js";

const words = JSON.parse(document.getElementById("words").textContent);
const labels = new Map(words.classes);
const byId = (id) => document.getElementById(id);
const clock = plantClock({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const surface = new Surface(byId("surface"));
const STANDS = new Set(["HELD", "HOLDING", "ABORTED", "ABORTING"]);

function element(tag, text = "", data = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  Object.assign(made.dataset, data);
  return made;
}

function say(id, text, kind = "") {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
  place.dataset.kind = kind;
  return place;
}

function kindOf(name) {
  if (name === words.passing) return "good";
  return name === words.review ? "review" : "bad";
}

function drawCell(cell) {
  say("state", words.states[cell.state] ?? cell.state);
  say("reason", cell.reason ? [cell.reason.text, cell.reason.detail].filter(Boolean).join(" — ") : "");
  say("ends", cell.ends ? words.ends[cell.ends] : "");
  say("since", clock.format(new Date(cell.since)));
  const waits = cell.reason && !STANDS.has(cell.state);
  byId("state").parentElement.dataset.kind = STANDS.has(cell.state) ? "stands" : waits ? "waits" : "runs";
}

function drawPatches(part) {
  const place = byId("patches");
  place.style.gridTemplateRows = `repeat(${part.patches_per_strip}, 1fr)`;
  place.style.gridTemplateColumns = `repeat(${part.strips}, 1fr)`;
  place.replaceChildren(...part.patches.map((name, index) => {
    if (name === null) return element("span", "", { patch: index });
    const good = kindOf(name) === "good";
    return element("span", good ? "" : labels.get(name)?.slice(0, 2) ?? "?", {
      patch: index, class: name, seen: good ? "good" : "bad",
      ...(part.decision?.deciding_patch === index && !good ? { decides: "" } : {}),
    });
  }));
  for (const patch of place.children) patch.className = "patch";
}

function drawPart(part) {
  say("part-id", part?.id ?? words.no_part);
  say("part-type", part?.type ?? "");
  byId("steps").replaceChildren(...words.steps.map(([step, text]) => {
    const item = element("li", text);
    if (part && !part.ended && part.step === step) item.setAttribute("aria-current", "step");
    return item;
  }));
  if (part) drawPatches(part);
  else byId("patches").replaceChildren();
  const decision = part?.decision;
  const verdict = say("verdict", decision ? labels.get(decision.verdict) ?? decision.verdict : "",
    decision ? kindOf(decision.verdict) : "");
  verdict.dataset.class = decision?.verdict ?? "";
  const why = part?.why ?? decision?.reason;
  const end = part?.ended === "lost" || part?.ended === "withdrawn" ? words[part.ended] : "";
  say("part-why", [end, why ? `${why.text} ${why.detail}` : ""].filter(Boolean).join(": "));
}

function drawBins(bins) {
  byId("bins").replaceChildren(...bins.map((bin) => {
    const item = element("li", "", bin.full ? { full: "" } : {});
    item.append(element("span", bin.label || bin.place), element("b", bin.full ? `${words.full} ${bin.parts}` : String(bin.parts)));
    return item;
  }));
}

function drawLine(line, counters) {
  say("permission", line.permission ? words.permitted : line.fault ? line.fault.text : words.forbidden,
    line.permission ? "" : "no");
  say("counters", [`${words.parts} ${counters.sorted}`,
    ...Object.entries(counters.verdicts).map(([name, count]) => `${labels.get(name) ?? name} ${count}`)].join(" · "));
}

function drawPromise(drift) {
  const kinds = Object.entries(drift).filter(([, one]) => one.promise_suspended);
  say("suspended", kinds.length ? `${words.suspended} ${kinds.map(([kind, one]) => `${kind} (${words.since} ${clock.format(new Date(one.suspended_since))})`).join(", ")}` : "",
    kinds.length ? "no" : "");
}

function drawAlarms(every) {
  askShelf(() => {});
  const aside = asideOf(every);
  const alarms = every.filter((alarm) => !aside.has(alarm.code));
  const open = alarms.filter((alarm) => !alarm.acknowledged).sort((one, other) => other.latched - one.latched);
  const newest = open[0] ?? alarms[0];
  say("alarm", newest ? `${newest.code}: ${newest.text}` : words.no_alarm);
  say("alarm-detail", newest ? [newest.detail, alarms.length > 1 ? `+${alarms.length - 1} ${words.more}` : ""].filter(Boolean).join(" · ") : "");
  byId("alarm").parentElement.dataset.kind = newest ? "on" : "";
  const button = byId("acknowledge");
  if (!button) return;
  button.hidden = open.length === 0;
  button.value = open[0]?.code ?? "";
}

function setControls(dead) {
  for (const control of document.querySelectorAll("[data-control]")) control.disabled = dead;
}

function shown(cell) {
  drawCell(cell.cell);
  drawPart(cell.part);
  surface.draw(cell.part, cell);
  drawBins(cell.bins);
  drawLine(cell.line, cell.counters);
  drawPromise(cell.drift);
  drawAlarms(cell.alarms);
  setControls(false);
  drawHand(cell.hand, cell.cell.state);
  document.documentElement.dataset.live = "yes";
}

function old(since, why) {
  document.documentElement.dataset.live = "no";
  say("stale-since", since ? `${words.since} ${clock.format(since)}` : "");
  say("stale-why", why);
  setControls(true);
}

byId("acknowledge")?.addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  await fetch("/acknowledge", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ code: button.value }),
  }).catch(() => {});
});

follow(shown, old, "/events/surface");
