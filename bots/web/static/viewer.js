// A picture in full size.

import { $ } from "./dom.js";

/** Opens `picture` ({url, name, width, height}); Escape, a click or the button closes it. */
export function showPicture(picture) {
  const image = $("viewer-picture");
  image.src = picture.url;
  image.alt = picture.name || "Picture";
  image.width = picture.width;
  image.height = picture.height;
  $("viewer-name").textContent = picture.name || "";
  $("viewer").showModal();
}

export function initViewer() {
  const viewer = $("viewer");
  viewer.addEventListener("click", () => viewer.close());
  viewer.addEventListener("close", () => $("viewer-picture").removeAttribute("src"));
}
