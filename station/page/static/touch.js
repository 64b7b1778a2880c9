// A person who touches something is there: the session goes on.
const TOUCH_MS = 60_000;
let touched = -Infinity;

function touch() {
  if (performance.now() - touched < TOUCH_MS) return;
  touched = performance.now();
  fetch("/here", { method: "POST" }).catch(() => {});
}

for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touch, { passive: true });
