// Scrolling that follows a growing answer only for someone who reads its end.

const NEAR_PX = 64;

export class Scroll {
  #scroller;
  #latest;
  #following = true;

  /** `scroller` scrolls; `latest` is the button that leads to its end. */
  constructor(scroller, latest) {
    this.#scroller = scroller;
    this.#latest = latest;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    latest.addEventListener("click", () => {
      scroller.focus({ preventScroll: true });
      this.toEnd();
    });
    // Pictures load and keyboards open: keep the end in view for those who were there.
    new ResizeObserver(() => this.#following && this.toEnd()).observe(scroller);
  }

  /** Runs a change of the content's height. */
  keep(change) {
    change();
    if (this.#following) this.toEnd();
    else this.#look();
  }

  toEnd() {
    this.#following = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#latest.hidden = true;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.#latest.hidden = this.#following;
  }
}
