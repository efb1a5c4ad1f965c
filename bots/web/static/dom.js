// Building DOM nodes. Text only ever becomes text nodes or attributes that cannot run: nothing here parses HTML.

export const $ = (id) => document.getElementById(id);

/** A new element. `props`: `class`, `on` (event → listener), `dataset`; the rest become attributes (false/null: left out). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "on")
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** One of the symbols that index.html defines. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `#i-${name}`);
}

/** Says `text` to screen readers. */
export function announce(text) {
  $("announcer").textContent = text;
}

/** Shows `text` in `element`, or hides the element when there is none. */
export function say(element, text) {
  // Screen readers say again what is put there again.
  if (element.textContent !== (text || "")) element.textContent = text || "";
  element.hidden = !text;
}

/** A mouse is at hand: only then may focus move into a text field unasked, for else a keyboard pops up. */
export const finePointer = () => matchMedia("(pointer: fine)").matches;

/** A finger: its keyboard has no Shift+Enter. */
export const coarsePointer = () => matchMedia("(pointer: coarse)").matches;
