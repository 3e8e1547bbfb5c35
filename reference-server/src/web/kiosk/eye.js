// Whether something moves before the camera, told from a picture of a few pixels: while nobody is there, no picture
// leaves the tablet.
const WIDTH = 32;
// Gray levels by which a pixel of the small picture must change. Each is the mean of hundreds of the camera's, so that
// little of its noise is left; a face at two meters covers some ten of them.
const CHANGED = 14;
const CHANGED_PIXELS = 4;

export class Eye {
  #canvas = document.createElement("canvas");
  #before = null;

  // Looks once; whether something has moved since the last look.
  moved(camera) {
    if (!camera.draw(this.#canvas, WIDTH)) return false;
    const { width, height } = this.#canvas;
    const { data } = this.#canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
    const now = new Uint8Array(width * height);
    let sum = 0;
    for (let i = 0; i < now.length; i += 1) {
      now[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
      sum += now[i];
    }
    const before = this.#before;
    this.#before = { now, mean: sum / now.length };
    if (before?.now.length !== now.length) return false;
    // A cloud, or a camera that sets its exposure anew, makes everything lighter or darker: nobody has moved.
    const lighter = this.#before.mean - before.mean;
    let changed = 0;
    for (let i = 0; i < now.length; i += 1) if (Math.abs(now[i] - before.now[i] - lighter) > CHANGED) changed += 1;
    return changed >= CHANGED_PIXELS;
  }
}
