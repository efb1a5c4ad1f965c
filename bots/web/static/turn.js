// One question and its answer on the page.

import { announce, h, icon, say, setIcon } from "./dom.js";
import { duration, plural } from "./format.js";
import { renderMarkdown } from "./markdown.js";
import { pictureList } from "./picture_list.js";
import { SeenNote } from "./seen.js";
import { renderWords } from "./words.js";

const ACTIVE = new Set(["gathering", "ready", "running"]);
const MAY_RETRY = new Set(["failed", "cancelled"]);

export class TurnCard {
  #actions;
  #text = "";
  #thinking = "";
  #notice = "";
  #frame = 0;
  #isLast = false;
  #onGrow;

  /**
   * `actions`: retry(card), rate(card, rating). `onGrow(change)` runs `change`, which alters the card's height.
   */
  constructor(view, { actions, onGrow }) {
    this.#actions = actions;
    this.#onGrow = onGrow;
    this.question = h("div", { class: "question" });
    this.refused = h("ul", { class: "refused", hidden: true });
    this.seen = new SeenNote();
    this.thoughts = h("div", { class: "thoughts markdown" });
    this.thinking = h("details", { class: "thinking", hidden: true }, h("summary", {}, "Thinking"), this.thoughts);
    this.above = h("div", { class: "who", hidden: true });
    this.below = h("div", { class: "who", hidden: true });
    this.answer = h("div", { class: "answer markdown", "aria-live": "polite", dir: "auto" });
    this.pictures = h("div", { class: "answered-with", hidden: true });
    this.status = h("p", { class: "status", role: "status" });
    this.problem = h("p", { class: "failed", hidden: true });
    this.notes = h("p", { class: "notes", hidden: true });
    this.copyButton = this.#button("copy", "Copy the answer", () => this.#copy());
    this.upButton = this.#button("up", "Good answer", () => this.#rate(1));
    this.downButton = this.#button("down", "Bad answer", () => this.#rate(-1));
    this.againButton = h(
      "button",
      { type: "button", class: "quiet again", on: { click: () => actions.retry(this) } },
      icon("again"),
      "Try again",
    );
    this.meta = h("span", { class: "meta" });
    this.ratingProblem = h("span", { class: "rating-problem", role: "alert", hidden: true });
    this.tools = h(
      "div",
      { class: "turn-tools" },
      this.againButton,
      this.copyButton,
      this.upButton,
      this.downButton,
      this.meta,
      this.ratingProblem,
    );
    const isAsked = Boolean(view.question || view.pictures.length || view.refused?.length);
    this.element = h(
      "article",
      { class: "turn", "aria-label": isAsked ? "Question and answer" : "Answer", tabindex: "-1" },
      // A person may say something without being asked.
      isAsked && h("h2", { class: "unseen" }, "You asked"),
      isAsked && this.question,
      this.refused,
      h("h2", { class: "unseen" }, "Answer"),
      this.seen.element,
      this.thinking,
      this.above,
      this.answer,
      this.pictures,
      this.status,
      this.problem,
      this.notes,
      this.tools,
      this.below,
    );
    this.#showQuestion(view);
    this.update(view);
  }

  get active() {
    return ACTIVE.has(this.view.state);
  }

  /** Only the newest turn can be tried again. */
  set isLast(value) {
    this.#isLast = value;
    this.#reflect();
  }

  /** Says who answers from here on: {text, early}, above the answer where it is early. */
  set notices(all) {
    const show = (where, notices) =>
      this.#onGrow(() => {
        where.replaceChildren(...notices.map(({ text }) => h("p", {}, text)));
        where.hidden = notices.length === 0;
      });
    show(this.above, all.filter(({ early }) => early));
    show(this.below, all.filter(({ early }) => !early));
  }

  /** Shows the turn as the server knows it. */
  update(view) {
    const finished = this.view !== undefined && this.active && !ACTIVE.has(view.state);
    const answered = this.view !== undefined && view.by_human && !this.view.by_human;
    const pictures = view.answer_pictures ?? [];
    if (pictures.length && this.pictures.hidden)
      this.#onGrow(() => {
        this.pictures.replaceChildren(pictureList(pictures));
        this.pictures.hidden = false;
      });
    this.view = view;
    this.element.dataset.state = view.state;
    this.element.dataset.turn = view.id;
    if (!this.active) {
      this.#text = view.answer ?? "";
      this.#thinking = view.thinking ?? "";
      this.#onGrow(() => this.seen.show(view.observations ?? []));
      this.#notice = "";
      this.#renderNow();
    }
    this.#showRefused(view);
    this.#reflect();
    if (finished) announce(this.#ending());
    if (answered) announce("A person has answered.");
  }

  // What the stream tells.

  reset() {
    this.#text = "";
    this.#thinking = "";
    this.#notice = "";
    this.#onGrow(() => this.seen.show([]));
    this.#render();
  }

  addSeen(observation) {
    this.#notice = "";
    this.#onGrow(() => this.seen.add(observation));
    this.#render();
  }

  addText(text) {
    this.#notice = "";
    this.#text += text;
    this.#render();
  }

  addThinking(text) {
    this.#notice = "";
    this.#thinking += text;
    this.#render();
  }

  /** Says what is being waited for. */
  notice(sentence) {
    this.#notice = sentence;
    this.#render();
  }

  waiting(position) {
    this.notice(
      position > 0 ? `${plural(position, "question is", "questions are")} ahead of yours…` : "Yours is next…",
    );
  }

  /** Says why a thumb could not be kept. */
  ratingFailed(sentence) {
    say(this.ratingProblem, sentence);
  }

  #render() {
    this.#frame ||= requestAnimationFrame(() => this.#renderNow());
  }

  #renderNow() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#onGrow(() => {
      if (this.view.by_human) renderWords(this.answer, this.#text);
      else renderMarkdown(this.answer, this.#text);
      renderMarkdown(this.thoughts, this.#thinking);
      this.thinking.hidden = !this.#thinking;
      this.#reflect();
    });
  }

  #reflect() {
    const { view } = this;
    const { active } = this;
    this.answer.hidden = !this.#text;
    this.answer.setAttribute("aria-busy", String(active));
    this.element.classList.toggle("writing", active && this.#text !== "");
    say(this.status, active && (!this.#text || this.#notice) ? this.#notice || this.#doing() : "");
    const failed = view.state === "failed";
    say(this.problem, failed ? (view.error?.message ?? "This question could not be answered. Please try again.") : "");
    say(this.notes, active ? "" : this.#remarks().join(" "));
    this.againButton.hidden = !MAY_RETRY.has(view.state) || !this.#isLast;
    this.copyButton.hidden = !this.#text;
    this.upButton.hidden = this.downButton.hidden = !this.#text || failed || view.by_human;
    this.upButton.setAttribute("aria-pressed", String(view.feedback === 1));
    this.downButton.setAttribute("aria-pressed", String(view.feedback === -1));
    this.meta.textContent = active ? "" : this.#figures();
    this.tools.hidden = active;
  }

  #doing() {
    if (this.#thinking || !this.seen.empty) return "Thinking…";
    return this.view.pictures.length
      ? `Looking at the ${this.view.pictures.length > 1 ? "pictures" : "picture"}…`
      : "Thinking…";
  }

  #remarks() {
    const { view } = this;
    const remarks = [];
    if (view.state === "handed_over") remarks.push("A person will answer this.");
    else if (view.state === "cancelled") remarks.push(this.#text ? "Stopped here." : "Stopped before there was an answer.");
    else if (view.finish_reason === "length") remarks.push("The answer was cut off where the model's limit is.");
    else if (view.state !== "failed" && !this.#text && !view.by_human) remarks.push("The model gave no answer to this.");
    const leftOut = new Set((view.left_out ?? []).map(({ what }) => what));
    if (leftOut.has("text")) remarks.push("The beginning of this conversation no longer fits and was left out.");
    else if (leftOut.size) remarks.push("Older pictures of this conversation no longer fit and were left out.");
    return remarks;
  }

  #figures() {
    const total = this.view.timings?.total_ms;
    if (this.view.by_human) return "Answered by a person";
    if (this.view.state === "handed_over") return "";
    const parts = [this.view.model, total === null || total === undefined ? "" : duration(total)];
    return parts.filter(Boolean).join(" · ");
  }

  #ending() {
    if (this.view.state === "failed") return this.problem.textContent;
    return this.view.state === "cancelled" ? "Stopped." : "The answer is complete.";
  }

  #showQuestion(view) {
    if (view.pictures.length) this.question.append(pictureList(view.pictures));
    if (view.question) this.question.append(h("p", { class: "bubble", dir: "auto" }, view.question));
  }

  #showRefused(view) {
    const lines = (view.refused ?? []).map(({ name, message }) =>
      h("li", {}, h("strong", {}, `${name}:`), ` ${message}`),
    );
    this.refused.replaceChildren(...lines);
    this.refused.hidden = lines.length === 0;
  }

  #button(name, label, click) {
    return h(
      "button",
      { type: "button", class: "icon-button small", "aria-label": label, title: label, on: { click } },
      icon(name),
    );
  }

  #rate(rating) {
    say(this.ratingProblem, "");
    this.#actions.rate(this, this.view.feedback === rating ? 0 : rating);
  }

  async #copy() {
    const copied = await copyText(this.#text);
    announce(copied ? "Copied." : "Copying is not possible here.");
    if (!copied) return;
    setIcon(this.copyButton, "done");
    setTimeout(() => setIcon(this.copyButton, "copy"), 1600);
  }
}

/** `navigator.clipboard` is missing on plain http beyond loopback; there the old way still works. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    const { activeElement } = document;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    activeElement?.focus();
    return copied;
  }
}
