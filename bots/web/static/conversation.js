// The conversation on the screen: its turns, and following the one that is being answered.

import * as api from "./api.js";
import { h } from "./dom.js";
import { follow } from "./stream.js";
import { TurnCard } from "./turn.js";
import { Watch } from "./watch.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

export class Conversation {
  id = null;
  title = "";
  #log;
  #cards = new Map();
  #following = null;
  #scroll;
  #hooks;
  #wait = FIRST_WAIT_MS;
  #timer = null;
  #watch;

  /**
   * `scroll.keep(change)` runs a change of height. `hooks`: changed() whenever a turn begins or ends,
   * connected(), lost(), failed(error) for an error that belongs to no turn.
   */
  constructor({ log, scroll, hooks }) {
    this.#log = log;
    this.#scroll = scroll;
    this.#hooks = hooks;
    this.#watch = new Watch(
      () => this.sync(),
      (error) => this.#hooks.failed(error),
    );
  }

  get isEmpty() {
    return this.#cards.size === 0;
  }

  /** The turn that is being answered, or null. Turns of one conversation are answered one after the other. */
  get running() {
    return [...this.#cards.values()].find((card) => card.active) ?? null;
  }

  /** Shows conversation `id` (null: a new one), loading what the server knows. Rejects with an ApiError. */
  async open(id) {
    this.#clear();
    this.id = id;
    if (id === null) return this.#hooks.changed();
    await this.sync();
  }

  /** Brings the page up to what the server knows; other tabs and lost connections change things behind its back. */
  async sync() {
    const { id } = this;
    if (id === null) return;
    const known = await api.conversation(id);
    if (this.id !== id) return;
    this.title = known.title;
    for (const view of known.turns) this.#put(view);
    this.#say(known.notices);
    this.#settle();
    this.#watch.see(id, known.version, known.human);
  }

  /** Adds an accepted question. */
  add(conversationId, view) {
    this.id = conversationId;
    this.#put(view);
    this.#settle();
    this.#scroll.toEnd();
    // Whatever version there is, it is another one by now.
    this.#watch.see(conversationId, "", view.state === "handed_over");
  }

  /** Shows a sentence in place of turns. */
  explain(sentence) {
    this.#clear();
    this.#log.append(h("p", { class: "gone" }, sentence));
  }

  /** Stops the running answer, keeping what was said. Resolves when the server knows. */
  async stop() {
    const card = this.running;
    if (!card) return;
    card.notice("Stopping…");
    try {
      await api.stop(card.view.id);
    } catch (error) {
      card.notice(error.message);
    }
  }

  #clear() {
    this.#watch.see(null);
    this.#unfollow();
    clearTimeout(this.#timer);
    this.#cards.clear();
    this.#log.replaceChildren();
    this.title = "";
  }

  #put(view) {
    const card = this.#cards.get(view.id);
    if (card) {
      // The stream is ahead of what a read tells of a turn that runs.
      if (card !== this.#following?.card || !isActive(view)) card.update(view);
      return;
    }
    // What stood there said why there was nothing.
    if (this.isEmpty) this.#log.replaceChildren();
    const actions = { retry: (which) => this.#retry(which), rate: (which, rating) => this.#rate(which, rating) };
    const fresh = new TurnCard(view, { actions, onGrow: (change) => this.#scroll.keep(change) });
    // What a person said without being asked may come to be known behind a later question.
    const next = [...this.#cards.values()].find((other) => other.view.seq > view.seq);
    this.#cards.set(view.id, fresh);
    if (next) this.#cards = new Map([...this.#cards].sort(([, a], [, b]) => a.view.seq - b.view.seq));
    this.#scroll.keep(() => this.#log.insertBefore(fresh.element, next?.element ?? null));
  }

  /** Shows who answers from where on: `notices` are {turn, text, early}. */
  #say(notices) {
    for (const [turn, card] of this.#cards) card.notices = notices.filter((notice) => notice.turn === turn);
  }

  /** Follows the running turn, and only that: a browser opens few connections to one server. */
  #settle() {
    const cards = [...this.#cards.values()];
    for (const card of cards) card.isLast = card === cards.at(-1);
    const { running } = this;
    if (this.#following && this.#following.card !== running) this.#unfollow();
    if (running && !this.#following) this.#follow(running);
    for (const card of cards) if (card.active && card !== running) card.notice("Waiting for the answer above…");
    this.#hooks.changed();
  }

  #follow(card) {
    const close = follow(card.view.id, {
      reset: () => card.reset(),
      text: (text) => card.addText(text),
      seen: (observation) => card.addSeen(observation),
      think: (text) => card.addThinking(text),
      waiting: (position) => card.waiting(position),
      retry: (message) => card.notice(message),
      end: (view) => {
        card.update(view);
        this.#settle();
      },
      connected: () => {
        this.#wait = FIRST_WAIT_MS;
        this.#hooks.connected();
      },
      lost: () => this.#hooks.lost(),
      broken: () => {
        this.#unfollow();
        card.notice("The answer cannot be followed right now. Trying again…");
        this.#syncLater();
      },
    });
    this.#following = { card, close };
  }

  #unfollow() {
    this.#following?.close();
    this.#following = null;
  }

  /** The stream was refused: ask what became of the turn, less and less often. */
  #syncLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      try {
        await this.sync();
      } catch (error) {
        // Gone, signed out or unreachable: others know what to do. All else may pass.
        if (error.status < 500 && error.status !== 429) this.#hooks.failed(error);
        else this.#syncLater();
      }
    }, this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  async #retry(card) {
    // The button goes; whoever pressed it stays here.
    card.element.focus({ preventScroll: true });
    card.againButton.disabled = true;
    try {
      const { turn } = await api.retry(card.view.id);
      card.reset();
      card.update(turn);
      this.#settle();
    } catch (error) {
      card.ratingFailed(error.message);
    }
    card.againButton.disabled = false;
  }

  async #rate(card, rating) {
    const before = card.view.feedback;
    card.update({ ...card.view, feedback: rating });
    try {
      await api.feedback(card.view.id, rating);
    } catch (error) {
      card.update({ ...card.view, feedback: before });
      card.ratingFailed(error.message);
    }
  }
}

const isActive = (view) => ["gathering", "ready", "running"].includes(view.state);
