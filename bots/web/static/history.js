// The list of earlier conversations.

import * as api from "./api.js";
import { h, say } from "./dom.js";
import { period } from "./format.js";

export class History {
  #root;
  #list = h("div", {});
  #more = h(
    "button",
    { type: "button", class: "quiet", hidden: true, on: { click: () => this.#loadMore() } },
    "Show older ones",
  );
  #problem = h("p", { class: "side-problem", role: "alert", hidden: true });
  #entries = new Map();
  #current = null;
  #next = null;
  #deep = false;

  constructor(root) {
    this.#root = root;
    root.append(this.#list, this.#more, this.#problem);
  }

  /** Reads the newest conversations again. */
  async refresh() {
    try {
      const page = await api.conversations();
      this.#take(page.conversations);
      if (!this.#deep) this.#next = page.next;
      say(this.#problem, "");
    } catch (error) {
      if (error.status !== 0) say(this.#problem, error.message);
    }
    this.#show();
  }

  /** Forgets the list: it is somebody else's now. */
  clear() {
    this.#entries.clear();
    this.#next = null;
    this.#deep = false;
    this.#show();
  }

  titleOf(id) {
    return this.#entries.get(id)?.title ?? "";
  }

  set current(id) {
    this.#current = id;
    this.#show();
  }

  #take(conversations) {
    for (const conversation of conversations) {
      const link = this.#entries.get(conversation.id)?.link ?? h("a", { href: `#/c/${conversation.id}`, dir: "auto" });
      link.textContent = conversation.title || "Untitled";
      link.title = link.textContent;
      this.#entries.set(conversation.id, { ...conversation, link });
    }
  }

  async #loadMore() {
    this.#more.disabled = true;
    try {
      const page = await api.conversations(this.#next);
      this.#take(page.conversations);
      this.#next = page.next;
      this.#deep = true;
    } catch (error) {
      say(this.#problem, error.message);
    }
    this.#more.disabled = false;
    this.#show();
  }

  #show() {
    const focused = document.activeElement;
    const newest = [...this.#entries.values()].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
    const groups = new Map();
    for (const entry of newest) {
      if (entry.id === this.#current) entry.link.setAttribute("aria-current", "page");
      else entry.link.removeAttribute("aria-current");
      const name = period(entry.updated_at);
      groups.set(name, [...(groups.get(name) ?? []), h("li", {}, entry.link)]);
    }
    const parts = [...groups].flatMap(([name, items]) => [h("h2", {}, name), h("ul", {}, ...items)]);
    this.#list.replaceChildren(
      ...(parts.length ? parts : [h("p", { class: "none" }, "Your conversations will stand here.")]),
    );
    this.#more.hidden = this.#next === null;
    if (this.#root.contains(focused)) focused.focus();
  }
}
