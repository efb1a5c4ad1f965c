// The sidebar as a drawer on narrow screens, and a layout that ends above a phone's keyboard.

import { $ } from "./dom.js";

const narrow = matchMedia("(max-width: 819px)");

export class Drawer {
  constructor() {
    $("open-sidebar").addEventListener("click", () => this.open());
    $("close-sidebar").addEventListener("click", () => this.close());
    $("backdrop").addEventListener("click", () => this.close());
    $("history").addEventListener("click", (event) => event.target.closest("a") && this.close());
    narrow.addEventListener("change", () => this.#reflect(false));
    this.#reflect(false);
  }

  get isOpen() {
    return document.body.classList.contains("drawer");
  }

  open() {
    this.#reflect(true);
    $("close-sidebar").focus();
  }

  close() {
    if (!this.isOpen) return;
    this.#reflect(false);
    $("open-sidebar").focus();
  }

  #reflect(open) {
    const covers = open && narrow.matches;
    document.body.classList.toggle("drawer", covers);
    $("backdrop").hidden = !covers;
    $("main").inert = covers;
    $("sidebar").inert = narrow.matches && !covers;
    $("open-sidebar").setAttribute("aria-expanded", String(covers));
  }
}

/** Safari lays the page out under the keyboard; the visual viewport tells what is left of it. */
export function keepAboveKeyboard() {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const fit = () => {
    document.documentElement.style.setProperty("--height", `${viewport.height}px`);
    scrollTo(0, 0);
  };
  // A pinch zoom shrinks the visual viewport too, and is no keyboard.
  viewport.addEventListener("resize", () => viewport.scale < 1.05 && fit());
}
