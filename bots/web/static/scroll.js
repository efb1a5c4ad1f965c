// Scrolling that follows a growing answer only for someone who reads its end.

const NEAR_PX = 64;

export class Scroll {
  #scroller;
  #latest;
  #following = true;

  /** `scroller` scrolls the turns in `log`; `latest` is the button that leads to their end. */
  constructor(scroller, log, latest) {
    this.#scroller = scroller;
    this.#latest = latest;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    latest.addEventListener("click", () => {
      scroller.focus({ preventScroll: true });
      this.toEnd();
    });
    // Keyboards open and the composer grows: keep the end in view for those who were there.
    new ResizeObserver(() => this.#following && log.childElementCount && this.toEnd()).observe(scroller);
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
