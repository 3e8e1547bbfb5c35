// What a camera of the server sees: a stream of JPEG pictures, drawn as they come. Read by hand rather than by an image
// element, which could not send the token but in its address, where logs would find it.
import { stream } from "./api.js";

const END_OF_HEAD = "\r\n\r\n";

export class Preview {
  #abort = new AbortController();
  #canvas;

  constructor(canvas, id, whenOver) {
    this.#canvas = canvas;
    this.#read(id).catch(() => {}).finally(whenOver);
  }

  close() { this.#abort.abort(); }

  async #read(id) {
    const reader = await stream(`/detection/preview/${id}.mjpeg`, this.#abort.signal);
    let bytes = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const joined = new Uint8Array(bytes.length + value.length);
      joined.set(bytes);
      joined.set(value, bytes.length);
      bytes = joined;
      for (let part = this.#part(bytes); part; part = this.#part(bytes)) {
        bytes = bytes.slice(part.end);
        await this.#show(part.jpeg);
      }
    }
  }

  // The first whole picture in the bytes, and where it ends.
  #part(bytes) {
    const head = new TextDecoder("latin1").decode(bytes.subarray(0, 512));
    const at = head.indexOf(END_OF_HEAD);
    const length = at < 0 ? null : /Content-Length: (\d+)/i.exec(head.slice(0, at));
    if (!length) return null;
    const begin = at + END_OF_HEAD.length;
    const end = begin + Number(length[1]);
    return bytes.length < end + 2 ? null : { jpeg: bytes.subarray(begin, end), end: end + 2 };
  }

  async #show(jpeg) {
    const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    const { width, height } = picture;
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#canvas.getContext("2d").drawImage(picture, 0, 0);
  }
}
