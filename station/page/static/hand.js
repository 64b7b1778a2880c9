// The hand: who commands, and what may be commanded now. Stop and Abort are always there; the rest is for who has it.
import { plantClock } from "./clock.js";

const words = JSON.parse(document.getElementById("hand-words").textContent);
const byId = (id) => document.getElementById(id);
const clock = plantClock({ hour: "2-digit", minute: "2-digit" });

function refuse(why) {
  byId("hand-refused").textContent = why;
  byId("hand-refused").hidden = !why;
}

async function send(path, sent) {
  const answer = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(sent),
  }).catch(() => null);
  if (answer?.status === 401) location.assign("/sign-in");
  if (answer?.ok) return refuse("");
  refuse(answer ? (await answer.json().catch(() => ({ refused: answer.status }))).refused : words.not_sent);
}

const isMine = (hand) => hand !== null && hand.who.startsWith(`${words.me} (`);

// What the station says of the hand and of the cell's state.
export function drawHand(hand, state) {
  const has = hand ? `${hand.who} ${words.until} ${clock.format(new Date(hand.until))}: ${hand.why}` : words.plc;
  if (byId("hand").textContent !== has) byId("hand").textContent = has;
  byId("hand").dataset.kind = hand ? "taken" : "";
  for (const button of document.querySelectorAll("[data-command]")) {
    const open = "open" in button.dataset;
    const accepted = words.accepted[button.dataset.command].includes(state);
    button.hidden = !open && !(isMine(hand) && accepted);
    button.disabled = !accepted;
  }
  if (!byId("take")) return;
  byId("take").hidden = hand !== null;
  byId("give-back").hidden = !isMine(hand);
}

for (const button of document.querySelectorAll("[data-command]")) {
  button.addEventListener("click", () => send("/command", { command: button.dataset.command }));
}

byId("give-back")?.addEventListener("click", () => send("/hand/back", {}));
byId("take")?.addEventListener("click", () => byId("taking").showModal());
byId("taking")?.querySelector("form").addEventListener("submit", (event) => {
  if (event.submitter?.value !== "take") return;
  const form = event.currentTarget;
  send("/hand", { why: form.elements.why.value, minutes: Number(form.elements.minutes.value) });
});
