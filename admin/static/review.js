// Keys of reviewing. A key presses the button, or goes to the field, that has it as `data-key`: first in the turn that
// is chosen, whose forms are fetched if they are not open, then anywhere on the page.
import { KEYS } from "./console.js";

const OF_TURN = "flncgbx";
const OF_PAGE = "aed.";

/** The turn that keys are about: the chosen one, else the one with open forms, else the first that can be seen. */
function current() {
  const turns = [...document.querySelectorAll(".turn")];
  return (
    document.activeElement?.closest(".turn") ??
    document.querySelector(".turn:has([data-reviewing])") ??
    turns.find((turn) => turn.getBoundingClientRect().bottom > 80)
  );
}

/** Opens the forms of a turn; the turn that has them. */
async function opened(turn) {
  const open = turn.querySelector("[data-open]");
  if (!open) return turn;
  await window.htmx.ajax("GET", open.getAttribute("hx-get"), { target: turn, swap: "outerHTML" });
  return document.getElementById(turn.id);
}

function use(target) {
  if (target.matches("button")) {
    target.click();
    return;
  }
  const fold = target.closest("[data-fold]");
  if (fold) fold.open = true;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
}

async function press(key) {
  let turn = current();
  if (!turn) return;
  turn = await opened(turn);
  turn.focus({ preventScroll: true });
  const target = turn.querySelector(`[data-key="${key}"]`);
  if (target) use(target);
}

for (const key of OF_TURN) KEYS[key] = () => press(key);
for (const key of OF_PAGE) {
  KEYS[key] = () => document.querySelector(`main [data-key="${key}"]`)?.click();
}

// A turn that was changed is a new element; what was chosen stays chosen.
document.addEventListener("htmx:afterSwap", (event) => {
  const turn = event.detail.target?.matches(".turn") && document.getElementById(event.detail.target.id);
  if (turn && document.activeElement === document.body) turn.focus({ preventScroll: true });
});

// What the service has to say against it, beside the forms.
document.addEventListener("htmx:responseError", (event) => {
  const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const problem = event.detail.target?.querySelector("[data-problem]");
  if (!problem) return;
  problem.textContent = page.querySelector("[role=alert]")?.textContent ?? "That did not work. Please try again.";
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
});
