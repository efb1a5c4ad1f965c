// The box in which a question is written, with its pictures, its draft and what is wrong with it.

import { $, announce, finePointer, h, icon, say } from "./dom.js";
import { keepDraft, readDraft } from "./draft.js";
import { plural, randomId } from "./format.js";
import { check, pasted, thumbnail } from "./pictures.js";

export class Composer {
  #box = $("question");
  #limits;
  #onSend;
  // Of each draft: its files, with how they are shown.
  #chosen = new Map();
  #draftName = "";
  #sending = null;
  #answering = false;
  #clientId = "";
  #signature = "";

  /**
   * `onSend({question, files, clientId, onProgress, signal})` resolves once the question is accepted, with the name of
   * the draft to go on with; only then is the box emptied. It rejects with an Error whose message is shown.
   */
  constructor({ limits, onSend, onStop }) {
    this.#limits = limits;
    this.#onSend = onSend;
    $("files").accept = limits.accept.join(",");
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#box.addEventListener("input", () => this.#changed());
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    $("stop").addEventListener("click", () => (this.#sending ? this.#sending.abort() : onStop()));
    $("attach").addEventListener("click", () => $("files").click());
    $("files").addEventListener("change", (event) => {
      this.add([...event.target.files]);
      event.target.value = "";
    });
    addEventListener("paste", (event) => {
      const files = pasted(event.clipboardData);
      if (!files.length) return;
      event.preventDefault();
      this.add(files);
    });
    this.#receiveDrops();
  }

  get #files() {
    if (!this.#chosen.has(this.#draftName)) this.#chosen.set(this.#draftName, new Map());
    return this.#chosen.get(this.#draftName);
  }

  get sending() {
    return this.#sending !== null;
  }

  get isEmpty() {
    return !this.#box.value.trim() && this.#files.size === 0;
  }

  /** Puts `text` in the box, for the person to send. */
  write(text) {
    this.#box.value = text;
    this.#changed();
    this.#box.focus();
  }

  focus() {
    if (finePointer()) this.#box.focus();
  }

  /** Whether an answer is on its way that can be stopped. */
  set answering(stoppable) {
    this.#answering = stoppable;
    this.#reflect();
  }

  abort() {
    this.#sending?.abort();
  }

  /** Shows the draft `name`; what was in the box stays under its own name. */
  open(name) {
    if (name === this.#draftName) return;
    this.#draftName = name;
    this.#show();
    this.problem([]);
  }

  /** Adds pictures to the question, or says why not. */
  add(files) {
    if (this.sending) return;
    const { taken, problems } = check(files, [...this.#files.keys()], this.#limits);
    for (const file of taken) this.#files.set(file, this.#preview(file));
    this.#showFiles();
    this.#changed();
    this.problem(problems);
    if (taken.length) announce(`${plural(this.#files.size, "picture")} to send.`);
    this.focus();
  }

  /** Shows sentences above the box. */
  problem(sentences) {
    $("problem").replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
    $("problem").hidden = sentences.length === 0;
  }

  async #send() {
    if (this.sending || this.isEmpty || this.#tooLong()) return;
    const draft = this.#draftName;
    const question = this.#box.value.trim();
    const files = [...this.#files.keys()];
    this.#sending = new AbortController();
    this.problem([]);
    this.#reflect();
    let failure = null;
    try {
      const next = await this.#onSend({
        question,
        files,
        clientId: this.#idFor(question, files),
        onProgress: (part) => ($("progress").value = part),
        signal: this.#sending.signal,
      });
      this.#forget(draft);
      if (this.#draftName === draft) this.open(next);
    } catch (error) {
      failure = error;
    }
    this.#sending = null;
    if (failure && failure.code !== "aborted" && this.#draftName === draft) this.problem([failure.message]);
    this.#reflect();
    this.focus();
  }

  /** The same for the same question, so that sending again after a lost connection does not ask twice. */
  #idFor(question, files) {
    const signature = JSON.stringify([this.#draftName, question, files.map((f) => [f.name, f.size, f.lastModified])]);
    if (signature !== this.#signature) this.#clientId = randomId();
    this.#signature = signature;
    return this.#clientId;
  }

  #forget(draft) {
    this.#signature = "";
    this.#chosen.delete(draft);
    keepDraft(draft, "");
    if (this.#draftName === draft) this.#show();
  }

  #show() {
    this.#box.value = readDraft(this.#draftName);
    this.#showFiles();
    this.#changed();
  }

  #key(event) {
    // 229: Safari ends a composition before it tells of the Enter that ended it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#send();
  }

  #changed() {
    keepDraft(this.#draftName, this.#box.value);
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
    this.#reflect();
  }

  #tooLong() {
    return this.#box.value.trim().length > this.#limits.question_max_chars;
  }

  #reflect() {
    const { question_max_chars: most } = this.#limits;
    const length = this.#box.value.trim().length;
    const near = length > most * 0.9;
    say($("count"), near ? `${length.toLocaleString("en")} of ${most.toLocaleString("en")} characters` : "");
    $("count").classList.toggle("over", length > most);
    $("keys").hidden = near;
    $("send").disabled = this.isEmpty || this.sending || length > most;
    // Where nothing is written Stop takes the place of Send.
    $("send").hidden = (this.#answering && this.isEmpty) || this.sending;
    $("composer").classList.toggle("sending", this.sending);
    $("composer").setAttribute("aria-busy", String(this.sending));
    this.#box.readOnly = this.sending;
    $("attach").disabled = this.sending;
    $("progress").hidden = !this.sending || this.#files.size === 0;
    if (!this.sending) $("progress").value = 0;
    const stopGoes = !this.sending && !this.#answering;
    // Focus must not fall out of the page together with the button.
    if (stopGoes && document.activeElement === $("stop")) this.focus();
    $("stop").hidden = stopGoes;
  }

  #preview(file) {
    const kind = file.name.includes(".") ? file.name.split(".").pop().toUpperCase().slice(0, 4) : "";
    const picture = h("span", { class: "thumb" }, icon("file"), h("small", {}, kind));
    const remove = h("button", { type: "button", "aria-label": `Remove ${file.name}`, title: "Remove" }, icon("close"));
    remove.addEventListener("click", () => {
      this.#files.delete(file);
      this.#showFiles();
      this.#changed();
      this.problem([]);
      this.#box.focus();
    });
    thumbnail(file).then((canvas) => canvas && picture.replaceChildren(canvas));
    return h("li", { title: file.name }, picture, remove);
  }

  #showFiles() {
    $("previews").replaceChildren(...this.#files.values());
    $("previews").hidden = this.#files.size === 0;
  }

  #receiveDrops() {
    let depth = 0;
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    const show = (inside) => {
      depth = inside;
      $("drop").hidden = depth <= 0;
    };
    addEventListener("dragenter", (event) => carriesFiles(event) && show(depth + 1));
    addEventListener("dragleave", (event) => carriesFiles(event) && show(depth - 1));
    addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    });
    addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      show(0);
      this.add([...event.dataTransfer.files]);
    });
  }
}
