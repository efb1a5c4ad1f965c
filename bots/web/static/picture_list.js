// The pictures of a question, or of a person's answer.

import { h } from "./dom.js";
import { titles } from "./format.js";
import { showPicture } from "./viewer.js";

// In pixels; more of it in the viewer.
const LARGEST = { width: 304, height: 256 };

/** A list of `pictures` ({url, name, width, height}). */
export function pictureList(pictures) {
  const names = titles(pictures);
  const items = pictures.map((picture, index) => {
    const name = names[index];
    // Its place is known before it is loaded, so that nothing jumps.
    const scale = Math.min(1, LARGEST.width / picture.width, LARGEST.height / picture.height);
    const size = { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) };
    const image = h("img", { src: picture.url, alt: name, ...size, decoding: "async" });
    return h(
      "li",
      {},
      h("button", { type: "button", "aria-label": `Open ${name}`, on: { click: () => showPicture(picture, name) } }, image),
    );
  });
  return h("ul", { class: `pictures${pictures.length > 1 ? " many" : ""}` }, ...items);
}
