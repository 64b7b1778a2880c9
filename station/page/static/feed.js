// Listens to the cell, and says when what is shown is not of now. Only what the station itself has said counts: three
// seconds without, and whatever hangs on the way, the page says so; then it asks anew, for ever.

const OLD_MS = 3000;
const RETRY_MS = 1000;
const ATTEMPT_MS = 2000;
const LOOK_MS = 200;

// shown(sections): the cell is so now.   old(since, why): what was shown is not of now; since is a Date or null.
// from: where the page tells of it.
export function follow(shown, old, from = "/events") {
  let source = null;
  let sections = {};
  let heard = -Infinity; // when the station was last heard, by a clock that only goes on
  let told = -Infinity; // when the page was last heard
  let opened = -Infinity;
  let since = null;
  let why = "";
  let live = false;

  // What the station has said so long ago.
  function hear(changed, agoMs = 0) {
    Object.assign(sections, changed);
    told = performance.now();
    heard = told - agoMs;
    since = new Date(Date.now() - agoMs);
    why = "";
    live = true;
    if (sections.cell) shown(sections);
  }

  function lose() {
    live = false;
    old(since, why);
  }

  function open() {
    source?.close();
    source = null;
    if (document.hidden) return; // a browser has few connections, and nobody looks
    opened = performance.now();
    const mine = new EventSource(from);
    const listen = (name, take) => mine.addEventListener(name, (event) => source === mine && take(JSON.parse(event.data)));
    listen("state", (data) => {
      sections = data.sections;
      if (data.live) hear({}, data.age_ms);
    });
    listen("change", (data) => hear(data.sections));
    listen("beat", () => hear({}));
    listen("lost", (data) => {
      told = performance.now();
      since ??= new Date(data.since);
      why = data.why;
      lose();
    });
    listen("over", () => location.assign("/sign-in"));
    mine.onerror = () => {
      if (source === mine) again();
    };
    source = mine;
  }

  async function again() {
    source.close();
    source = null;
    setTimeout(() => source ?? open(), RETRY_MS);
    try {
      const answer = await fetch("/session", { cache: "no-store" });
      if (answer.status === 401) location.assign("/sign-in");
    } catch {
      // the page itself is not there: that is what is shown
    }
  }

  function look() {
    const now = performance.now();
    if (now - heard > OLD_MS) lose();
    if (now - told > OLD_MS && now - opened > ATTEMPT_MS) open();
  }

  function turned() {
    look();
    if (document.hidden || !source) open();
  }

  old(null, "");
  open();
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", turned);
  addEventListener("pageshow", look);
  return { get live() { return live; } };
}
