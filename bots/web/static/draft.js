// What was typed but not sent, kept for this tab, one text for each conversation.

const PREFIX = "glimt.draft.";
const OWNER = "glimt.person";

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

/**
 * From here on the drafts are those of `session`'s person. Whoever had to show a key does not get another person's;
 * without keys it is the same person with a new cookie.
 */
export function claimDrafts({ person, needs_key: needsKey }) {
  const owner = storage((s) => s.getItem(OWNER));
  if (needsKey && owner !== null && owner !== person) forgetDrafts();
  storage((s) => s.setItem(OWNER, person));
}

export function keepDraft(name, text) {
  storage((s) => (text ? s.setItem(PREFIX + name, text) : s.removeItem(PREFIX + name)));
}
