// Whether the server can be reached, and the notice that says so.

import { session } from "./api.js";
import { $, announce, say } from "./dom.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

export class Connection {
  #wait = FIRST_WAIT_MS;
  #timer = null;
  #onBack;

  /** `onBack` is called each time that the server is reached again. */
  constructor(onBack) {
    this.#onBack = onBack;
    addEventListener("offline", () => this.lost());
    addEventListener("online", () => this.#timer !== null && this.#probe());
  }

  /** The server could not be reached: say so and try until it can. */
  lost() {
    if (this.#timer !== null) return;
    say($("connection"), navigator.onLine ? "Connection lost. Reconnecting…" : "You are offline. Reconnecting…");
    this.#schedule();
  }

  /** The server was heard. */
  heard() {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#wait = FIRST_WAIT_MS;
    say($("connection"), "");
    announce("Connected again.");
    this.#onBack();
  }

  #schedule() {
    this.#timer = setTimeout(() => this.#probe(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  async #probe() {
    clearTimeout(this.#timer);
    try {
      await session();
      this.heard();
    } catch {
      if (this.#timer !== null) this.#schedule();
    }
  }
}
