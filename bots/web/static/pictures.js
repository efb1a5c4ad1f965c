// Files that a person chose: which of them may be sent, and why not.

import { list, plural, size } from "./format.js";

// Browsers leave the type empty where the system does not know the ending.
const BY_ENDING = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
  gif: "image/gif",
  bmp: "image/bmp",
  tif: "image/tiff",
  tiff: "image/tiff",
  heic: "image/heic",
  heif: "image/heif",
  avif: "image/avif",
  pdf: "application/pdf",
};
const PAGED = ["application/pdf", "image/tiff"];

/** What `file` may be: its type as the browser says, and by its name. */
const typesOf = ({ type, name }) => [type, BY_ENDING[name.slice(name.lastIndexOf(".") + 1).toLowerCase()]];

/** Whether there may be more in `file` than the one page that a browser shows of it. */
export const hasPages = (file) => typesOf(file).some((type) => PAGED.includes(type));

export const tooLarge = (file, limits) =>
  `${file.name} is too large: ${size(file.size)}, at most ${size(limits.picture_max_bytes)} can be sent.`;

/** Which of `files` may join the `present` ones: `{taken: File[], problems: string[]}`. */
export function check(files, present, limits) {
  const taken = [];
  const wrong = [];
  const problems = [];
  let tooMany = 0;
  for (const file of files) {
    if (!typesOf(file).some((type) => limits.accept.includes(type))) wrong.push(file.name);
    else if (file.size === 0) problems.push(`${file.name} is empty. Check the file and choose it again.`);
    // A picture may still be scaled down.
    else if (file.size > limits.picture_max_bytes && hasPages(file)) problems.push(tooLarge(file, limits));
    else if (present.length + taken.length >= limits.pictures_per_turn) tooMany += 1;
    else taken.push(file);
  }
  if (wrong.length) problems.push(`${list(wrong)} cannot be read. Send ${kinds(limits.accept)}.`);
  if (tooMany)
    problems.push(`One question can have ${plural(limits.pictures_per_turn, "picture")}; ${tooMany} did not fit.`);
  return { taken, problems };
}

const NAMES = { webp: "WebP", heif: "HEIC" };

function kinds(accept) {
  const names = accept.map((type) => type.split("/")[1]).map((kind) => NAMES[kind] ?? kind.toUpperCase());
  return list([...new Set(names)]).replace(/ and (\w+)$/, " or $1");
}

/**
 * The files among what was pasted. Formatted text that came along wins: a copied table carries a picture of itself.
 * Plain text alone is the files' names, HTML alone the address of a copied picture.
 */
export function pasted(clipboard) {
  if (clipboard.getData("text/plain") && clipboard.getData("text/html")) return [];
  return [...clipboard.files].map((file) => (file.name === "image.png" ? named(file) : file));
}

let pastes = 0;

function named(file) {
  pastes += 1;
  return new File([file], `pasted picture ${pastes}.png`, { type: file.type });
}
