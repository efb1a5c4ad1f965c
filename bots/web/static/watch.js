// Learns of what is said in the conversation on the screen without a question of this page's: a human may answer there.

import { versionOf } from "./api.js";

const OFTEN_MS = 2500;
const SELDOM_MS = 10_000;

export class Watch {
  #timer = null;
  #known = null;
  #onChange;
  #onError;

  /** `onChange()` is called, and waited for, whenever there is something new; `onError(error)` when nobody could tell. */
  constructor(onChange, onError) {
    this.#onChange = onChange;
    this.#onError = onError;
    // Nobody looks at a page in the background; when it is looked at again, it reads everything anew.
    document.addEventListener("visibilitychange", () => this.#schedule());
  }

  /** Watches conversation `id` from `version` on, more often where a `human` answers; null: watches nothing. */
  see(id, version = "", human = false) {
    this.#known = id === null ? null : { id, version, human };
    this.#schedule();
  }

  #schedule() {
    clearTimeout(this.#timer);
    if (!this.#known || document.visibilityState !== "visible") return;
    this.#timer = setTimeout(() => this.#look(), this.#known.human ? OFTEN_MS : SELDOM_MS);
  }

  async #look() {
    const looked = this.#known;
    try {
      const news = await versionOf(looked.id, looked.version);
      if (news !== null && looked === this.#known) await this.#onChange();
    } catch (error) {
      this.#onError(error);
    }
    // Whoever was told has seen to the next look, unless nothing came of it.
    if (looked === this.#known) this.#schedule();
  }
}
