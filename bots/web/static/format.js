// Numbers, dates and names as people read them.

/** `bytes` as "3.4 MB". */
export function size(bytes) {
  const mib = bytes / (1024 * 1024);
  if (mib >= 1) return `${mib >= 10 ? Math.round(mib) : Math.round(mib * 10) / 10} MB`;
  return `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

export const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** "a", "a and b", "a, b and c". */
export function list(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** What to call each of `pictures` ({name}): the pages of one file, and files of the same name, are told apart. */
export function titles(pictures) {
  const count = new Map();
  for (const { name } of pictures) count.set(name, (count.get(name) ?? 0) + 1);
  const seen = new Map();
  return pictures.map(({ name }) => {
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    if (count.get(name) === 1) return name || "Picture";
    return `${name || "Picture"}, ${/\.(pdf|tiff?)$/i.test(name) ? "page" : "picture"} ${number}`;
  });
}

/** Milliseconds as "0.8 s" or "1 min 5 s". */
export function duration(ms) {
  if (ms < 9950) return `${(Math.max(ms, 100) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The heading under which a conversation of that day stands. */
export function period(iso, now = new Date()) {
  const day = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((day(now) - day(new Date(iso))) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return "Last seven days";
  return days < 30 ? "Last thirty days" : "Older";
}

/** 32 random hexadecimal digits. `crypto.randomUUID` is missing on plain http beyond loopback. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
