// The box in which a question is written, with its pictures, its draft and what is wrong with it.

import { notSent } from "./api.js";
import { $, announce, coarsePointer, finePointer, h, icon, say } from "./dom.js";
import { keepDraft, readDraft } from "./draft.js";
import { list, plural, randomId } from "./format.js";
import { check, pasted, tooLarge } from "./pictures.js";
import { prepare } from "./prepare.js";

const WAIT = "Wait until this question is sent, then add the picture.";

export class Composer {
  #box = $("question");
  #limits;
  #onSend;
  // Of each draft: its files, each with how it is shown, a promise of what to send for it, and whether it moves.
  #chosen = new Map();
  #draftName = "";
  #sending = null;
  #answering = false;
  #problems = [];
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
    if (coarsePointer()) {
      this.#box.enterKeyHint = "enter";
      this.#box.removeAttribute("aria-describedby");
    }
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
    if (this.sending) return this.problem([WAIT]);
    const { taken, problems } = check(files, [...this.#files.keys()], this.#limits);
    this.problem(problems);
    for (const file of taken) this.#choose(file);
    this.#showFiles();
    this.#changed();
    if (taken.length) announce(`${plural(this.#files.size, "picture")} to send.`);
    this.focus();
  }

  /** Shows sentences above the box. */
  problem(sentences) {
    this.#problems = sentences;
    $("problem").replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
    $("problem").hidden = sentences.length === 0;
  }

  async #send() {
    if (this.sending || this.isEmpty || this.#tooLong()) return;
    const draft = this.#draftName;
    const question = this.#box.value.trim();
    const chosen = this.#files;
    const files = [...chosen.keys()];
    this.#sending = new AbortController();
    this.problem([]);
    this.#reflect();
    let failure = null;
    try {
      const prepared = Promise.all([...chosen.values()].map(({ ready }) => ready));
      const sent = await Promise.race([prepared, whenAborted(this.#sending.signal)]);
      const next = await this.#onSend({
        question,
        files: sent,
        clientId: this.#idFor(question, files),
        onProgress: (part) => ($("progress").value = part),
        signal: this.#sending.signal,
      });
      this.#forget(draft);
      if (this.#draftName === draft) {
        this.open(next);
        this.problem([]);
      }
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
    if (event.key !== "Enter" || coarsePointer() || event.shiftKey || event.isComposing || event.keyCode === 229) return;
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
    $("previews").hidden = this.#files.size === 0;
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

  /** Adds `file` to what will be sent, prepared as it must be. */
  #choose(file) {
    const chosen = this.#files;
    const { shown, picture } = this.#preview(file);
    const entry = { shown, moves: false };
    entry.ready = prepare(file, this.#limits).then(({ file: sent, thumbnail, animated }) => {
      if (thumbnail) picture.replaceChildren(thumbnail);
      entry.moves = animated;
      this.#remark();
      if (sent.size > this.#limits.picture_max_bytes) throw new Error(tooLarge(file, this.#limits));
      return sent;
    });
    entry.ready.catch((error) => {
      if (!chosen.delete(file)) return;
      shown.remove();
      this.#changed();
      this.problem([...this.#problems, error.message]);
    });
    chosen.set(file, entry);
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
    return { shown: h("li", { title: file.name }, picture, remove), picture };
  }

  #showFiles() {
    $("previews").replaceChildren(...[...this.#files.values()].map(({ shown }) => shown));
    this.#remark();
  }

  /** Says what of the files will not be seen. */
  #remark() {
    const moving = [...this.#files].filter(([, { moves }]) => moves).map(([{ name }]) => name);
    say($("remark"), moving.length ? `Only the first frame of ${list(moving)} is read.` : "");
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

/** Rejects when `signal` aborts. */
const whenAborted = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(notSent()), { once: true }));
