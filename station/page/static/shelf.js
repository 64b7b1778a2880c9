// What people have put aside. Where that cannot be asked, or its time is over, nothing is: an alarm too many does no harm.
const ASK_MS = 10_000;
let lying = new Map();
let asked = -Infinity;

// Whether an alarm may lie there at all: never what stops the cell, or keeps it waiting.
export const isWarning = (alarm) => alarm.reaction === "warn" && !alarm.latched;

// What lies there of these alarms, by code.
export function asideOf(alarms) {
  const now = performance.now();
  return new Map(alarms.filter((alarm) => isWarning(alarm) && lying.get(alarm.code)?.ends > now)
    .map((alarm) => [alarm.code, lying.get(alarm.code)]));
}

// Ask what lies there, no more often than needed; afterwards `then` is called.
export async function askShelf(then, now = false) {
  if (!now && performance.now() - asked < ASK_MS) return;
  asked = performance.now();
  const answer = await fetch("/alarms/shelved", { cache: "no-store" }).catch(() => null);
  const rows = answer?.ok ? await answer.json() : [];
  lying = new Map(rows.map((row) => [row.code, { ...row, ends: asked + row.left_ms }]));
  then();
}
