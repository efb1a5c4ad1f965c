// What was typed but not sent, kept for this tab, one text for each conversation.

const PREFIX = "glimt.draft.";

/** A browser may forbid storage; then drafts just do not outlive the page. */
function storage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

export const readDraft = (name) => storage((s) => s.getItem(PREFIX + name)) ?? "";

export const forgetDrafts = () => storage((s) => s.clear());

export function keepDraft(name, text) {
  storage((s) => (text ? s.setItem(PREFIX + name, text) : s.removeItem(PREFIX + name)));
}
