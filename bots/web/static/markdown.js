// A model's answer as DOM nodes: paragraphs, headings, lists, quotes, tables, code, bold, italics, links.
// Nothing is parsed as HTML, nothing is fetched, and only https links can be clicked; their address is shown.
// A model may repeat anything without end, so no pattern here may backtrack over more than a bounded stretch.

import { h } from "./dom.js";

const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^\s{0,3}(#{1,6})\s(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?/;
const TABLE_RULE = /^:?-+:?$/;
const MAX_DEPTH = 6;

const rendered = new WeakMap();

/** Shows `text` in `container`. Blocks that did not change since the last call keep their nodes. */
export function renderMarkdown(container, text) {
  const blocks = split(text);
  const before = rendered.get(container) ?? [];
  let same = 0;
  while (same < blocks.length && same < before.length && blocks[same] === before[same]) same += 1;
  while (container.childNodes.length > same) container.lastChild.remove();
  for (const source of blocks.slice(same)) container.append(block(source.split("\n"), 0));
  rendered.set(container, blocks);
}

/** The sources of the top-level blocks of `text`. */
function split(text) {
  const blocks = [];
  let lines = [];
  const flush = () => {
    if (lines.length) blocks.push(lines.join("\n"));
    lines = [];
  };
  const all = text.replace(/\r\n?/g, "\n").split("\n");
  for (let i = 0; i < all.length; i += 1) {
    const line = all[i];
    const fence = FENCE.exec(line);
    if (fence) {
      flush();
      lines.push(line);
      while (++i < all.length && !closes(all[i], fence[1])) lines.push(all[i]);
      if (i < all.length) lines.push(all[i]);
      flush();
    } else if (!line.trim()) {
      // A list goes on behind empty lines only if the next line belongs to it.
      while (i + 1 < all.length && !all[i + 1].trim()) i += 1;
      const next = all[i + 1] ?? "";
      const isList = lines.length > 0 && ITEM.test(lines[0]);
      if (isList && (ITEM.test(next) || /^\s{2,}\S/.test(next))) lines.push("");
      else flush();
    } else {
      const kind = kindOf([line]);
      const first = lines.length ? kindOf(lines) : "";
      const interrupts = kind !== "paragraph" && kind !== first && !(first === "list" && /^\s{2,}/.test(line));
      if (interrupts || first === "heading" || first === "rule") flush();
      lines.push(line);
    }
  }
  flush();
  return blocks;
}

const closes = (line, fence) => line.trim().startsWith(fence) && !line.trim().replaceAll(fence[0], "");

function kindOf(lines) {
  const line = lines[0];
  if (FENCE.test(line)) return "code";
  if (HEADING.test(line)) return "heading";
  if (RULE.test(line)) return "rule";
  if (QUOTE.test(line)) return "quote";
  if (ITEM.test(line)) return "list";
  return "paragraph";
}

function block(lines, depth) {
  switch (depth > MAX_DEPTH ? "paragraph" : kindOf(lines)) {
    case "code":
      return codeBlock(lines);
    case "heading": {
      const [, marks, text] = HEADING.exec(lines[0]);
      // The page's own headings are levels 1 and 2.
      return h(`h${Math.min(marks.length + 2, 6)}`, {}, ...inline(text.trim()));
    }
    case "rule":
      return h("hr");
    case "quote":
      return h(
        "blockquote",
        {},
        ...nested(
          lines.map((line) => line.replace(QUOTE, "")),
          depth,
        ),
      );
    case "list":
      return listOf(lines, depth);
    default:
      if (lines.length > 1 && lines[0].includes("|") && cells(lines[1]).every((cell) => TABLE_RULE.test(cell)))
        return table(lines);
      return h("p", {}, ...inline(lines.join("\n").trim()));
  }
}

const nested = (lines, depth) => split(lines.join("\n")).map((source) => block(source.split("\n"), depth + 1));

function codeBlock(lines) {
  const fence = FENCE.exec(lines[0])[1];
  const closed = lines.length > 1 && closes(lines.at(-1), fence);
  const code = lines.slice(1, closed ? -1 : undefined).join("\n");
  return h("pre", { tabindex: "0" }, h("code", {}, code));
}

function listOf(lines, depth) {
  const [, , marker] = ITEM.exec(lines[0]);
  const indent = ITEM.exec(lines[0])[1].length;
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= indent + 1) items.push([item[3]]);
    else items.at(-1).push(line.replace(/^(\s{1,4}|\t)/, ""));
  }
  const ordered = /\d/.test(marker);
  const children = items.map((item) => {
    const parts = nested(item, depth);
    // A lone paragraph is the item itself.
    return h(
      "li",
      {},
      ...parts.flatMap((part, i) => (i === 0 && part.tagName === "P" ? [...part.childNodes] : [part])),
    );
  });
  return h(ordered ? "ol" : "ul", { start: ordered ? String(parseInt(marker, 10)) : null }, ...children);
}

const cells = (line) =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((cell) => cell.trim());

function table(lines) {
  const row = (tag, line) => h("tr", {}, ...cells(line).map((cell) => h(tag, {}, ...inline(cell))));
  const body = lines.slice(2).map((line) => row("td", line));
  return h(
    "div",
    { class: "table", tabindex: "0" },
    h("table", {}, h("thead", {}, row("th", lines[0])), h("tbody", {}, ...body)),
  );
}

const LINK =
  /^!?\[([^\]\n]{0,500})\]\(\s*<?([^\s()<>]{1,2000}(?:\([^\s()<>]{0,200}\)[^\s()<>]{0,200})?)>?(?:\s+"[^"\n]{0,200}")?\s{0,9}\)/;
const BARE_LINK = /^https?:\/\/[^\s<>"'`|]{1,2000}/;
const MARKS = [
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "s"],
  ["*", "em"],
  ["_", "em"],
];

/** `text` as a list of nodes and strings. */
function inline(text, depth = 0) {
  const out = [];
  const unclosed = new Set();
  let plain = "";
  let at = 0;
  const push = (node, length) => {
    if (plain) out.push(plain);
    plain = "";
    out.push(node);
    at += length;
  };
  while (at < text.length) {
    const char = text[at];
    const wordBefore = at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1]);
    let taken = false;
    if (char === "\\" && /[\\`*_{}[\]()#+\-.!|~>]/.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    if (char === "`") {
      const ticks = /^`+/.exec(text.slice(at, at + 20))[0];
      const end = unclosed.has(ticks) ? -1 : text.indexOf(ticks, at + ticks.length);
      if (end > 0) {
        push(h("code", {}, text.slice(at + ticks.length, end).replace(/^ (.*) $/s, "$1")), end + ticks.length - at);
        continue;
      }
      unclosed.add(ticks);
      plain += ticks;
      at += ticks.length;
      continue;
    }
    if ((char === "[" || (char === "!" && text[at + 1] === "[")) && depth < MAX_DEPTH) {
      const match = LINK.exec(text.slice(at, at + 3500));
      if (match) {
        push(link(match[1], match[2]), match[0].length);
        continue;
      }
    }
    if (char === "h" && !wordBefore && text.startsWith("http", at)) {
      const match = BARE_LINK.exec(text.slice(at, at + 2100));
      if (match) {
        const address = match[0].replace(/[.,;:!?*_~)\]}]+$/, "");
        push(link("", address), address.length);
        continue;
      }
    }
    for (const [mark, tag] of depth < MAX_DEPTH ? MARKS : []) {
      if (!text.startsWith(mark, at) || unclosed.has(mark)) continue;
      if (/\s/.test(text[at + mark.length] ?? " ") || (mark[0] === "_" && wordBefore)) continue;
      const end = closing(text, mark, at + mark.length);
      if (end < 0) {
        unclosed.add(mark);
        continue;
      }
      push(h(tag, {}, ...inline(text.slice(at + mark.length, end), depth + 1)), end + mark.length - at);
      taken = true;
      break;
    }
    if (taken) continue;
    if (char === "\n") {
      push(h("br"), 1);
      continue;
    }
    plain += char;
    at += 1;
  }
  if (plain) out.push(plain);
  return out;
}

/** Where `mark` closes from `from` on: not behind a space, and "*" not inside "**". -1: nowhere. */
function closing(text, mark, from) {
  for (let end = text.indexOf(mark, from + 1); end >= 0; end = text.indexOf(mark, end + 1)) {
    if (/\s/.test(text[end - 1])) continue;
    if (mark.length === 1 && (text[end + 1] === mark || text[end - 1] === mark)) continue;
    if (mark[0] === "_" && /[\p{L}\p{N}]/u.test(text[end + mark.length] ?? "")) continue;
    // Of "***" the first star closes what is inside.
    return mark.length === 2 && text[end + 2] === mark[0] ? end + 1 : end;
  }
  return -1;
}

/** A link whose address can be read; clickable only if it is https without credentials in it. */
function link(text, address) {
  const label = text.trim();
  let url = null;
  try {
    url = new URL(address);
  } catch {
    // Not an absolute address: shown as it stands.
  }
  const safe = url?.protocol === "https:" && !url.username && !url.password;
  const shown = safe ? url.href : address;
  const node = safe
    ? h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, label || shown)
    : h("span", {}, label || shown);
  if (!label || label === shown || label === address) return node;
  return h("span", {}, node, h("span", { class: "address" }, ` (${shown})`));
}
