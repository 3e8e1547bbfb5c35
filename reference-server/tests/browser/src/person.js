// Somebody before the browser's camera, who turns the head when asked.
//
// Chromium's fake camera reads its picture from a file, again and again. The file holds a single picture, and it is
// written anew ten times a second: so the camera is live, and whoever sits before it can answer what the page asks,
// which no clip made beforehand could, for the server draws the order.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const WIDTH = 480;
export const HEIGHT = 360;
const FPS = 10;
const HEAD = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420\nFRAME\n`, "latin1");
const LUMA = WIDTH * HEIGHT;
// A sensor's noise, in levels: no two pictures of a camera are the same.
const NOISE = 3;

// Which pictures of `turn.avi` hold a position, and which lead from one to the next: ahead, left, ahead, right, ahead.
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const HOLDS = {
  center: [...range(0, 3), ...range(22, 24), ...range(43, 45)],
  left: range(11, 14),
  right: range(32, 35),
};
const OUT = { left: range(4, 10), right: range(25, 31) };
const BACK = { left: range(15, 21), right: range(36, 42) };

export class Camera {
  #folder = mkdtempSync(join(tmpdir(), "faceattend-camera-"));
  #handle;
  #timer;
  #clip = null;
  #at = "center";
  #target = "center";
  #queue = [];
  #held = 0;

  constructor() {
    this.path = join(this.#folder, "camera.y4m");
    this.#handle = openSync(this.path, "w+");
    writeSync(this.#handle, HEAD, 0, HEAD.length, 0);
    this.#write(Buffer.concat([Buffer.alloc(LUMA, 118), Buffer.alloc(LUMA / 2, 128)]));
    this.#timer = setInterval(() => this.#next(), 1000 / FPS);
  }

  // Somebody sits down; their pictures are those of a `turn.avi`, decoded, or a few of somebody who looks ahead.
  sit(clip) {
    this.#clip = clip;
    [this.#at, this.#target, this.#queue, this.#held] = ["center", "center", [], 0];
  }

  // Everybody is gone.
  leave() {
    this.#clip = null;
  }

  // Where the head shall point from now on.
  turn(position) {
    this.#target = position;
  }

  close() {
    clearInterval(this.#timer);
    closeSync(this.#handle);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #next() {
    if (!this.#clip) {
      this.#write(Buffer.concat([Buffer.alloc(LUMA, 118), Buffer.alloc(LUMA / 2, 128)]));
      return;
    }
    if (this.#queue.length === 0 && this.#at !== this.#target) {
      // From one side to the other the way leads past the middle.
      const next = this.#at === "center" ? this.#target : "center";
      this.#queue = [...(next === "center" ? BACK[this.#at] : OUT[next])];
      this.#at = next;
    }
    const hold = HOLDS[this.#at];
    const at = this.#queue.shift() ?? hold[this.#held++ % hold.length];
    this.#write(this.#clip[at % this.#clip.length]);
  }

  #write(picture) {
    const noisy = Buffer.from(picture);
    for (let i = 0; i < LUMA; i += 1)
      noisy[i] = Math.max(16, Math.min(235, noisy[i] + Math.round((Math.random() - 0.5) * NOISE)));
    writeSync(this.#handle, noisy, 0, noisy.length, HEAD.length);
  }
}
