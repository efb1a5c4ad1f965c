// The form that asks for a key.

import * as api from "./api.js";
import { $, say } from "./dom.js";
import { forgetDrafts } from "./draft.js";

const FIRST = "Sign in with the key that your admin gave you.";
const AGAIN = "Your session has ended. Sign in with your key to go on; what you wrote and chose is still there.";

/** Ends the session and forgets what this tab keeps. Rejects with an ApiError. */
export async function signOut() {
  await api.signOut();
  leave();
}

/** Begins anew, with nothing left of this person. */
export function leave() {
  forgetDrafts();
  // A browser may keep the page as it was for whoever goes back.
  addEventListener("pageshow", () => location.reload());
  location.assign("/");
}

/** Shows the form, `again` to somebody who was signed in; resolves once a key was accepted. */
export function askForKey(again) {
  const form = $("sign-in");
  const key = $("key");
  const button = form.querySelector("button");
  say($("sign-in-why"), again ? AGAIN : FIRST);
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
