// A human's words, letter by letter: nothing in them is Markdown, and only an address is a link.

import { h } from "./dom.js";

const ADDRESS = /https?:\/\/[^\s<>"'`|]+/gi;
// What ends a sentence and not an address.
const TRAILING = /[.,;:!?)\]}。，；：！？）]+$/;

/** Shows `text` in `element`. */
export function renderWords(element, text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const address = found[0].replace(TRAILING, "");
    parts.push(text.slice(at, found.index));
    parts.push(h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address));
    at = found.index + address.length;
  }
  parts.push(text.slice(at));
  element.replaceChildren(h("p", { class: "as-written" }, ...parts.filter(Boolean)));
}
