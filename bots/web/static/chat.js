// The chat page: signs in, then joins the parts together. Each part is in the module named after it.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { $, announce, say } from "./dom.js";
import { claimDrafts } from "./draft.js";
import { Drawer, keepAboveKeyboard } from "./drawer.js";
import { initExamples } from "./examples.js";
import { History } from "./history.js";
import { Scroll } from "./scroll.js";
import { askForKey, leave, signOut } from "./sign_in.js";
import { initViewer } from "./viewer.js";

const NEW = "New conversation";
const GONE = "This conversation does not exist (any more). Ask a question to begin a new one.";
const NOT_KEPT = "Your browser does not keep the session. Please allow cookies for this page.";

// What `start` made, once somebody is in.
let page = null;
let entering = false;

/** The conversation that the address names, or null. */
const addressed = () => /^#\/c\/([\w-]+)$/.exec(location.hash)?.[1] ?? null;

/** The session of whoever is at the screen, who was asked for a key where one is needed. */
async function enter() {
  let session = await api.session();
  if (!session.signed_in) {
    $("app").hidden = true;
    // What is modal would lie over the form.
    $("viewer").close();
    await askForKey(page !== null);
    session = await api.session();
  }
  // Without keys every browser that shows no session gets a new one, and so becomes a new person.
  const renewed = page !== null && session.person !== page.person && !session.needs_key;
  if (!session.signed_in || (renewed && (await api.session()).person !== session.person)) throw new Error(NOT_KEPT);
  return session;
}

/** Brings the page to life. Returns whose it is, and how to go on after the session has ended and begun again. */
function start(session) {
  const others = "BroadcastChannel" in window ? new BroadcastChannel("glimt") : null;
  const history = new History($("history"));
  const drawer = new Drawer();
  const connection = new Connection(() => synchronise());
  const conversation = new Conversation({
    log: $("log"),
    scroll: new Scroll($("scroller"), $("log"), $("latest")),
    hooks: { changed, failed, connected: () => connection.heard(), lost: () => connection.lost() },
  });
  const composer = new Composer({ limits: session.limits, onSend: send, onStop: () => conversation.stop() });
  const examples = initExamples(composer);
  let wasRunning = false;

  async function send({ question, files, clientId, onProgress, signal }) {
    const from = conversation.id;
    let accepted;
    try {
      accepted = await api.ask({ question, conversationId: from, clientId, files, onProgress, signal });
    } catch (error) {
      failed(error);
      throw error;
    }
    if (conversation.id === from) {
      if (from === null) window.history.pushState(null, "", `#/c/${accepted.conversation_id}`);
      conversation.add(accepted.conversation_id, accepted.turn);
    }
    const unusable = accepted.turn.refused.map(({ name, message }) => `${name} could not be used: ${message}`);
    if (unusable.length) announce(unusable.join(" "));
    others?.postMessage(accepted.conversation_id);
    history.refresh().then(changed);
    return accepted.conversation_id;
  }

  /** Shows the conversation that the address names. */
  async function show() {
    composer.abort();
    drawer.close();
    const id = addressed();
    composer.open(id ?? "new");
    try {
      await conversation.open(id);
    } catch (error) {
      if (addressed() !== id) return;
      conversation.explain(error.status === 404 ? GONE : error.message);
      if (error.status === 404) conversation.id = null;
      failed(error);
    }
    changed();
    composer.focus();
  }

  /** Reads again what may have changed while nobody looked. */
  async function synchronise() {
    await Promise.all([history.refresh(), conversation.sync().catch(failed)]);
    changed();
  }

  function changed() {
    const { running } = conversation;
    composer.answering = running !== null;
    if (wasRunning && !running) {
      history.refresh();
      others?.postMessage(conversation.id);
    }
    wasRunning = running !== null;
    examples.hidden = conversation.id !== null || !conversation.isEmpty || $("log").childElementCount > 0;
    history.current = conversation.id;
    const title = history.titleOf(conversation.id) || conversation.title || NEW;
    $("title").textContent = title;
    document.title = title === NEW ? "Glimt" : `${title} – Glimt`;
    $("question").placeholder = conversation.isEmpty ? "Ask about a picture" : "Ask a follow-up question";
  }

  function failed(error) {
    if (error.status === 0 && error.code !== "aborted") connection.lost();
  }

  addEventListener("hashchange", show);
  others?.addEventListener("message", ({ data }) =>
    data === conversation.id ? synchronise() : history.refresh().then(changed),
  );
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && synchronise());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || $("viewer").open) return;
    if (drawer.isOpen) drawer.close();
    else if (composer.sending) composer.abort();
    else conversation.stop();
  });
  for (const link of [$("new-conversation"), $("new-small")]) {
    link.addEventListener("click", () => {
      drawer.close();
      $("question").focus();
    });
  }
  $("sign-out").hidden = !session.needs_key;
  $("sign-out").addEventListener("click", () => signOut().catch(failed));
  // A hash would be taken for the address of a conversation.
  $("skip").addEventListener("click", (event) => {
    event.preventDefault();
    $("question").focus();
  });
  $("model").textContent = session.model;
  $("app").hidden = false;
  history.refresh().then(changed);
  show();

  return {
    person: session.person,
    /** Goes on where the same person was; for another one, who needed no key, with that one's conversations. */
    resume(person) {
      $("app").hidden = false;
      if (person === this.person) {
        synchronise();
        return composer.focus();
      }
      this.person = person;
      history.clear();
      history.refresh().then(changed);
      show();
    },
  };
}

/** Lets somebody in: at first, and whenever the server says that the session has ended. */
async function boot() {
  // Several requests hear of it at once.
  if (entering) return;
  entering = true;
  $("startup").hidden = true;
  try {
    const session = await enter();
    if (page !== null && session.needs_key && session.person !== page.person) return leave();
    claimDrafts(session);
    if (page === null) page = start(session);
    else page.resume(session.person);
  } catch (error) {
    $("app").hidden = true;
    say($("startup-problem"), error.message);
    $("startup").hidden = false;
  } finally {
    entering = false;
  }
}

initViewer();
keepAboveKeyboard();
api.whenSignedOut(boot);
$("startup-again").addEventListener("click", boot);
boot();
