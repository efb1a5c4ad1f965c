// The form that asks for a key.

import * as api from "./api.js";
import { $, say } from "./dom.js";
import { forgetDrafts } from "./draft.js";

const RELOADED = "glimt.signed-out";
const SOON_MS = 10_000;

/**
 * The server does not know this browser (any more): begin anew, which asks for a key where one is needed.
 * Somebody else may sign in, so nothing of the page is kept.
 */
export function beginAnew() {
  try {
    const before = Number(sessionStorage.getItem(RELOADED) ?? 0);
    sessionStorage.setItem(RELOADED, String(Date.now()));
    if (Date.now() - before > SOON_MS) return location.reload();
  } catch {
    // No storage, then no cookies either: a reload would come back here for ever.
  }
  $("app").hidden = true;
  say($("startup-problem"), "Your browser does not keep the session. Please allow cookies for this page.");
  $("startup").hidden = false;
}

/** Ends the session and forgets what this tab keeps. Rejects with an ApiError. */
export async function signOut() {
  await api.signOut();
  forgetDrafts();
  location.assign("/");
}

/** Shows the form; resolves once a key was accepted. */
export function askForKey() {
  const form = $("sign-in");
  const key = $("key");
  const button = form.querySelector("button");
  form.hidden = false;
  key.focus();
  return new Promise((resolve) => {
    form.addEventListener("submit", async function submit(event) {
      event.preventDefault();
      if (button.disabled) return;
      if (!key.value.trim()) {
        say($("key-problem"), "Please enter your key.");
        return key.focus();
      }
      button.disabled = true;
      say($("key-problem"), "");
      try {
        await api.signIn(key.value.trim());
      } catch (error) {
        say($("key-problem"), error.message);
        button.disabled = false;
        key.select();
        return key.focus();
      }
      button.disabled = false;
      key.value = "";
      form.hidden = true;
      form.removeEventListener("submit", submit);
      resolve();
    });
  });
}
