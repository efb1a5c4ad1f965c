// What the console gains by a script: keys, times in the browser's own zone, answers while they are written.
// Everything else works without it.

const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable]";

/** Shows times as this browser's clock does. */
function localTimes(root) {
  for (const time of root.querySelectorAll("time:not([data-local])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const today = at.toDateString() === new Date().toDateString();
    const day = { year: "numeric", month: "short", day: "numeric" };
    time.title = at.toLocaleString();
    time.textContent = at.toLocaleString([], { ...(today ? {} : day), hour: "2-digit", minute: "2-digit" });
    time.dataset.local = "";
  }
}

/** Moves the focus to the next (+1) or previous (-1) of what can be chosen. */
function move(step) {
  const items = [...document.querySelectorAll("[data-item]")];
  if (!items.length) return;
  const current = document.activeElement?.closest("[data-item]");
  let index = items.indexOf(current);
  if (index < 0) {
    // Where the reader is, not where the page begins.
    const below = items.findIndex((item) => item.getBoundingClientRect().bottom > 80);
    index = step > 0 ? Math.max(0, below) - 1 : below;
  }
  const next = items[Math.min(items.length - 1, Math.max(0, index + step))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/** What a key does; other scripts add theirs. */
export const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => {
    const search = document.getElementById("q");
    if (search) search.select();
    else location.assign("/#q");
  },
  t: () => {
    const way = document.querySelector("[data-key-t]");
    way?.scrollIntoView({ block: "nearest" });
    way?.focus();
  },
  u: () => document.querySelector("a[rel=up]")?.click(),
  q: () => document.querySelector('nav a[href="/queues"]')?.click(),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target instanceof HTMLTextAreaElement && event.target.form;
    if (form) {
      event.preventDefault();
      form.requestSubmit();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target instanceof Element && event.target.closest(TYPING)) {
    if (event.key === "Escape") {
      // A search field would empty itself, and so search for nothing.
      event.preventDefault();
      event.target.blur();
      // What was chosen stays chosen.
      event.target.closest("[data-item]")?.focus({ preventScroll: true });
    }
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

/** Puts what the server shows of a turn in its place. */
function show(turn, address) {
  const focused = turn.contains(document.activeElement);
  window.htmx.ajax("GET", address, { target: turn, swap: "outerHTML" }).then(() => {
    if (focused) document.getElementById(turn.id)?.focus({ preventScroll: true });
  });
}

// Turns that a human answers, and the versions of them that there are now.
document.addEventListener("glimt:turns", ({ detail }) => {
  for (const turn of document.querySelectorAll(".turn:not([data-live])")) {
    const news = detail[turn.id];
    // What is being typed about a turn would go with it.
    if (turn.querySelector("[data-reviewing]")) continue;
    if (news && news.version !== turn.dataset.version) show(turn, `/turns/${news.id}`);
  }
});

/** Follows the answer of a turn that is not over, then puts the whole turn in its place. */
function follow(turn) {
  const text = turn.querySelector("[data-live-text]");
  const thinking = turn.querySelector("[data-live-think]");
  const status = turn.querySelector("[data-live-status]");
  const events = new EventSource(turn.dataset.live);
  text.textContent = "";
  thinking.textContent = "";
  const on = (name, act) => events.addEventListener(name, (event) => act(JSON.parse(event.data)));
  on("text", ({ kind, text: more }) => {
    if (kind === "think") thinking.closest("details").hidden = false;
    (kind === "think" ? thinking : text).append(more);
    status.textContent = "Being written …";
  });
  on("reset", () => {
    text.textContent = "";
    thinking.textContent = "";
  });
  on("waiting", ({ position }) => {
    status.textContent = position ? `Waiting behind ${position} others …` : "Waiting, next in line …";
  });
  on("retry", ({ message }) => {
    status.textContent = message;
  });
  const close = () => events.close();
  on("over", () => {
    close();
    status.textContent = "Reload the page to see how it went on.";
  });
  on("end", () => {
    close();
    show(turn, turn.dataset.again);
  });
  addEventListener("pagehide", close, { once: true });
}

function prepare(root) {
  localTimes(root);
  for (const turn of root.querySelectorAll("[data-live]:not([data-followed])")) {
    turn.dataset.followed = "";
    follow(turn);
  }
}

prepare(document);
document.addEventListener("htmx:afterSwap", () => prepare(document));
// A page that comes out of the browser's own cache has lost its streams.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
if (location.hash === "#q") document.getElementById("q")?.focus();
const meant = location.hash.startsWith("#turn-") && document.getElementById(location.hash.slice(1));
if (meant) meant.focus();
