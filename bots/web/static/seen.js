// What other eyes saw in the pictures of a question: a folded note of a turn.

import { h } from "./dom.js";

const NOTHING = "This picture could not be looked at.";

export class SeenNote {
  #observations = [];
  #title = h("summary", {});
  #list = h("ul", {});

  constructor() {
    this.element = h("details", { class: "seen", hidden: true }, this.#title, this.#list);
  }

  get empty() {
    return this.#observations.length === 0;
  }

  /** Shows these `observations` ({url, model, text}) and no others. */
  show(observations) {
    this.#observations = [];
    this.#list.replaceChildren();
    this.element.hidden = true;
    for (const observation of observations) this.add(observation);
  }

  /** Shows one more. What stands in a picture is shown as it stands, never as markup. */
  add(observation) {
    this.#observations.push(observation);
    const { url, text } = observation;
    const picture = h("img", { src: url, alt: "", width: 48, height: 48, loading: "lazy", decoding: "async" });
    this.#list.append(h("li", {}, picture, h("p", { dir: "auto" }, text || NOTHING)));
    const models = new Set(this.#observations.map(({ model }) => model));
    this.#title.textContent = `What the eyes saw (${[...models].join(", ")})`;
    this.element.hidden = false;
  }
}
