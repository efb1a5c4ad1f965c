// Following one turn while it is answered.

import { eventsOf } from "./api.js";

/**
 * Opens the turn's event stream. `handlers`: reset(), seen(observation), text(text), think(text), waiting(position),
 * retry(message), end(turn), connected(), lost() (the browser reconnects by itself and resumes), broken() (it gave up; open a new one).
 * Returns a function that closes the stream.
 *
 * A resumed stream goes on behind the last event; a new one starts from the beginning, so the first piece of a new
 * stream always follows a reset().
 */
export function follow(turnId, handlers) {
  const source = new EventSource(eventsOf(turnId));
  let fresh = true;
  const on = (name, handle) =>
    source.addEventListener(name, (event) => {
      handlers.connected();
      handle(JSON.parse(event.data || "{}"));
    });
  const begin = () => {
    if (fresh) handlers.reset();
    fresh = false;
  };
  on("reset", () => {
    fresh = false;
    handlers.reset();
  });
  on("seen", (observation) => (begin(), handlers.seen(observation)));
  on("text", ({ text }) => (begin(), handlers.text(text)));
  on("think", ({ text }) => (begin(), handlers.think(text)));
  on("waiting", ({ position }) => handlers.waiting(position));
  on("retry", ({ message }) => handlers.retry(message));
  on("end", ({ turn }) => {
    source.close();
    handlers.end(turn);
  });
  source.addEventListener("open", () => handlers.connected());
  source.addEventListener("error", () =>
    source.readyState === EventSource.CLOSED ? handlers.broken() : handlers.lost(),
  );
  return () => source.close();
}
