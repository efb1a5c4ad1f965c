// A picture in full size.

import { $ } from "./dom.js";

/** Opens `picture` ({url, width, height}) under `name`; Escape, a click or the button closes it. */
export function showPicture(picture, name) {
  const image = $("viewer-picture");
  image.src = picture.url;
  image.alt = name;
  image.width = picture.width;
  image.height = picture.height;
  $("viewer-name").textContent = name;
  $("viewer").showModal();
}

export function initViewer() {
  const viewer = $("viewer");
  viewer.addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => $("viewer-picture").removeAttribute("src"));
}
