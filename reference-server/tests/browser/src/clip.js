// The project's clips: JPEG pictures in AVI files, as `xtask/src/media/avi.rs` writes them, and what they look like as
// the raw pictures of a camera.
import { readFileSync } from "node:fs";

// The JPEG files in an AVI file, in order.
export function picturesOf(file) {
  const bytes = readFileSync(file);
  const pictures = [];
  // The movie is one list of chunks, each a picture, padded to an even length.
  let at = bytes.indexOf("movi") + 4;
  while (at + 8 <= bytes.length && bytes.toString("latin1", at, at + 4) === "00dc") {
    const length = bytes.readUInt32LE(at + 4);
    pictures.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length + (length % 2);
  }
  if (pictures.length === 0) throw new Error(`${file} holds no pictures`);
  return pictures;
}

// The pictures as I420 of `width` x `height`, decoded by the browser that will show them: they fill it, scaled up by
// `zoom` about the middle.
export async function decode(page, pictures, { width, height, zoom = 1 }) {
  const decoded = [];
  for (const jpeg of pictures) {
    const base64 = await page.evaluate(async ({ data, width, height, zoom }) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      const context = new OffscreenCanvas(width, height).getContext("2d");
      const scale = zoom * Math.max(width / bitmap.width, height / bitmap.height);
      const [w, h] = [bitmap.width * scale, bitmap.height * scale];
      context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
      const { data: rgba } = context.getImageData(0, 0, width, height);
      // ITU-R BT.601 in its limited range, as cameras deliver it; colour at half the resolution.
      const planes = new Uint8ClampedArray(width * height * 1.5);
      const [u, v] = [width * height, width * height * 1.25];
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          const i = 4 * (y * width + x);
          const [r, g, b] = [rgba[i], rgba[i + 1], rgba[i + 2]];
          planes[y * width + x] = 16 + 0.2568 * r + 0.5041 * g + 0.0979 * b;
          if (y % 2 === 0 && x % 2 === 0) {
            const at = (y / 2) * (width / 2) + x / 2;
            planes[u + at] = 128 - 0.1482 * r - 0.291 * g + 0.4392 * b;
            planes[v + at] = 128 + 0.4392 * r - 0.3678 * g - 0.0714 * b;
          }
        }
      }
      let text = "";
      for (let i = 0; i < planes.length; i += 0x8000) text += String.fromCharCode(...planes.subarray(i, i + 0x8000));
      return btoa(text);
    }, { data: jpeg.toString("base64"), width, height, zoom });
    decoded.push(Buffer.from(base64, "base64"));
  }
  return decoded;
}
