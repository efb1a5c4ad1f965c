// A chosen picture on its way to the server: decoded once, for how it looks in small and to scale it down where it is
// beyond a limit.

import { isAnimated } from "./animation.js";
import { hasPages } from "./pictures.js";

const THUMBNAIL_PX = 176;
// The largest canvas that Safari draws on a phone.
const CANVAS_PIXELS = 4096 * 4096;
const QUALITY = 0.9;
const TRIES = 6;

let before = Promise.resolve();

/**
 * Resolves with `{file, thumbnail, animated}`: what to send for `file`, a canvas of it in small (null where the browser
 * cannot decode it), and whether it moves. A picture beyond `limits` is scaled down if that can be done here.
 */
export function prepare(file, limits) {
  // One after the other: a photo of 50 megapixels takes 200 MB while it is decoded.
  before = before.then(() => work(file, limits));
  return before;
}

async function work(file, limits) {
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file);
    // A canvas needs no blob: address, which the page's content security policy does not allow.
    const thumbnail = draw(bitmap, Math.max(THUMBNAIL_PX / bitmap.width, THUMBNAIL_PX / bitmap.height));
    return { file: await fit(file, bitmap, limits), thumbnail, animated: await isAnimated(file) };
  } catch {
    // The server knows more kinds of file, and says what is wrong with the others.
    return { file, thumbnail: null, animated: false };
  } finally {
    bitmap?.close();
  }
}

/** `file`, or a smaller version where it is beyond a limit. */
async function fit(file, bitmap, { picture_max_bytes: maxBytes, picture_max_pixels: maxPixels }) {
  const pixels = bitmap.width * bitmap.height;
  if ((file.size <= maxBytes && pixels <= maxPixels) || hasPages(file)) return file;
  let scale = Math.sqrt(Math.min(maxPixels, CANVAS_PIXELS) / pixels);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const blob = await encoded(draw(bitmap, scale));
    if (blob.size <= maxBytes) {
      return new File([blob], file.name, { type: blob.type, lastModified: file.lastModified });
    }
    scale = Math.min(scale, 1) * 0.9 * Math.sqrt(maxBytes / blob.size);
  }
  return file;
}

/** A canvas with `bitmap`, scaled down by `scale`. */
function draw(bitmap, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(bitmap.width * Math.min(scale, 1)));
  canvas.height = Math.max(1, Math.floor(bitmap.height * Math.min(scale, 1)));
  const context = canvas.getContext("2d");
  // JPEG knows no transparency; the server makes it white, too.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const encoded = (canvas) =>
  new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the canvas is too large"))), "image/jpeg", QUALITY),
  );
