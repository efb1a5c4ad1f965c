// The backend's HTTP API. Every function resolves with plain data or rejects with an ApiError whose message is a
// sentence for the person at the screen.

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

function failure(status, text) {
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
  if (!response.ok) throw failure(response.status, text);
  return text ? JSON.parse(text) : null;
}

const id = encodeURIComponent;

export const session = () => call("GET", "/api/session");
export const signIn = (key) => call("POST", "/api/session", { key });
export const signOut = () => call("DELETE", "/api/session");
export const conversations = (before) => call("GET", `/api/conversations${before ? `?before=${id(before)}` : ""}`);
export const conversation = (conversationId) => call("GET", `/api/conversations/${id(conversationId)}`);
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
  // fetch() cannot tell how much of a request was sent.
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/turns");
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener(
      "progress",
      (event) => event.lengthComputable && onProgress(event.loaded / event.total),
    );
    request.addEventListener("error", () => reject(new ApiError(0, "unreachable", UNREACHABLE)));
    request.addEventListener("abort", () => reject(new ApiError(0, "aborted", "Not sent.")));
    request.addEventListener("load", () => {
      if (request.status >= 400) return reject(failure(request.status, request.responseText));
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(failure(request.status, ""));
      }
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
