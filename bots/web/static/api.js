// The backend's HTTP API. Every function resolves with plain data or rejects with an ApiError whose message is a
// sentence for the person at the screen.

const SESSION = "/api/session";
const SIGNED_OUT = "You were signed out. Please try again.";

let signedOut = () => {};

/** `listener` hears of every request that was refused because the session has ended. */
export const whenSignedOut = (listener) => (signedOut = listener);

export class ApiError extends Error {
  /** `status` 0: the server could not be reached. */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const UNREACHABLE = "The server cannot be reached. Check your connection and try again.";
const BY_STATUS = {
  401: "You are signed out. Please sign in again.",
  413: "That is too large to send. Please send fewer or smaller pictures.",
  429: "That was too often. Please wait a moment and try again.",
  502: UNREACHABLE,
  503: "The service is not ready right now. Please try again in a moment.",
  504: UNREACHABLE,
};

function failure(path, status, text) {
  // A wrong key is refused in the same way.
  if (status === 401 && path !== SESSION) {
    signedOut();
    return new ApiError(status, "not_signed_in", SIGNED_OUT);
  }
  try {
    const { code, message } = JSON.parse(text).error;
    if (typeof message === "string" && message) return new ApiError(status, String(code), message);
  } catch {
    // Not ours: a proxy's page, or nothing at all.
  }
  return new ApiError(status, "http", BY_STATUS[status] ?? `Something went wrong (${status}). Please try again.`);
}

async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response, text;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
    text = await response.text();
  } catch {
    throw new ApiError(0, "unreachable", UNREACHABLE);
  }
  if (!response.ok) throw failure(path, response.status, text);
  return text ? JSON.parse(text) : null;
}

/** What a question that was stopped on its way rejects with. */
export const notSent = () => new ApiError(0, "aborted", "Not sent.");

const id = encodeURIComponent;

export const session = () => call("GET", SESSION);
export const signIn = (key) => call("POST", SESSION, { key });
export const signOut = () => call("DELETE", SESSION);
export const conversations = (before) => call("GET", `/api/conversations${before ? `?before=${id(before)}` : ""}`);
export const conversation = (conversationId) => call("GET", `/api/conversations/${id(conversationId)}`);
/** Resolves with null where nothing has changed since the version `known`. */
export const versionOf = (conversationId, known) =>
  call("GET", `/api/conversations/${id(conversationId)}/version?known=${id(known)}`);
export const stop = (turnId) => call("POST", `/api/turns/${id(turnId)}/stop`);
export const retry = (turnId) => call("POST", `/api/turns/${id(turnId)}/retry`);
export const feedback = (turnId, rating) => call("PUT", `/api/turns/${id(turnId)}/feedback`, { rating });
export const eventsOf = (turnId) => `/api/turns/${id(turnId)}/events`;

/**
 * Asks a question. Repeating it with the same `clientId` gives the same turn.
 * `onProgress` hears how much was sent, 0 to 1; `signal` aborts (rejects with an ApiError of code "aborted").
 */
export function ask({ question, conversationId, clientId, files, onProgress, signal }) {
  const form = new FormData();
  form.append("question", question);
  if (conversationId) form.append("conversation_id", conversationId);
  form.append("client_id", clientId);
  for (const file of files) form.append("pictures", file, file.name);
  const path = "/api/turns";
  // fetch() cannot tell how much of a request was sent.
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener(
      "progress",
      (event) => event.lengthComputable && onProgress(event.loaded / event.total),
    );
    request.addEventListener("error", () => reject(new ApiError(0, "unreachable", UNREACHABLE)));
    request.addEventListener("abort", () => reject(notSent()));
    request.addEventListener("load", () => {
      if (request.status >= 400) return reject(failure(path, request.status, request.responseText));
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(failure(path, request.status, ""));
      }
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
