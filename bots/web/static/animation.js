// Whether a picture moves, by the structure of its bytes: only its first frame is read.

/** Whether `file` is a GIF, WebP, PNG or AVIF of more than one frame. */
export async function isAnimated(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = (start, length) => String.fromCharCode(...bytes.subarray(start, start + length));
  if (text(0, 4) === "GIF8") return gifMoves(bytes);
  if (text(1, 3) === "PNG") return pngMoves(bytes, text);
  if (text(0, 4) === "RIFF") return text(12, 4) === "VP8X" && (bytes[20] & 2) !== 0;
  return text(4, 8) === "ftypavis";
}

/** Bytes of the colour table that these flags tell of. */
const table = (flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

function gifMoves(bytes) {
  let frames = 0;
  let at = 13 + table(bytes[10]);
  while (at < bytes.length) {
    if (bytes[at] === 0x2c) {
      frames += 1;
      if (frames > 1) return true;
      at += 11 + table(bytes[at + 9]);
    } else if (bytes[at] === 0x21) at += 2;
    else return false;
    // Blocks with their lengths in front; the last one is empty.
    while (bytes[at]) at += 1 + bytes[at];
    at += 1;
  }
  return false;
}

function pngMoves(bytes, text) {
  const view = new DataView(bytes.buffer);
  // What says that there are more frames stands before the first one.
  for (let at = 8; at + 8 <= bytes.length && text(at + 4, 4) !== "IDAT"; at += 12 + view.getUint32(at)) {
    if (text(at + 4, 4) === "acTL") return true;
  }
  return false;
}
