// Files that a person chose: which of them may be sent, and how they look in small.

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
const THUMBNAIL_PX = 176;

const ending = (name) => name.slice(name.lastIndexOf(".") + 1).toLowerCase();

/** Which of `files` may join the `present` ones: `{taken: File[], problems: string[]}`. */
export function check(files, present, limits) {
  const taken = [];
  const wrong = [];
  const problems = [];
  let tooMany = 0;
  for (const file of files) {
    const type = file.type || BY_ENDING[ending(file.name)] || "";
    if (!limits.accept.includes(type) && !limits.accept.includes(BY_ENDING[ending(file.name)])) wrong.push(file.name);
    else if (file.size === 0) problems.push(`${file.name} is empty.`);
    else if (file.size > limits.picture_max_bytes)
      problems.push(
        `${file.name} is too large: ${size(file.size)}, at most ${size(limits.picture_max_bytes)} can be sent.`,
      );
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
 * `file` in small, as a canvas, or null where the browser cannot decode it.
 * A canvas needs no blob: address, which the page's content security policy does not allow.
 */
export async function thumbnail(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return null;
  }
  const scale = Math.min(1, Math.max(THUMBNAIL_PX / bitmap.width, THUMBNAIL_PX / bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

/** The pictures among what was pasted. Text that came along wins: a copied table carries a picture of itself. */
export function pasted(clipboard) {
  if (clipboard.getData("text/plain")) return [];
  return [...clipboard.files].map((file) => (file.name === "image.png" ? named(file) : file));
}

let pastes = 0;

function named(file) {
  pastes += 1;
  return new File([file], `pasted picture ${pastes}.png`, { type: file.type });
}
