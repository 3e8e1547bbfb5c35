// The browser's camera, drawn to a canvas, and its frames as base64 JPEG. When the camera goes away (its plug, another
// program, a phone that sleeps) it is tried again until it is back.
import { t } from "./text.js";
import { pause } from "./ui.js";

const WIDTH = 640;
const TRY_EVERY = 1000;
const TRIES = 60;

export class Camera {
  #stream = null;
  #video = document.createElement("video");
  #frame = document.createElement("canvas");
  #shown;
  #mirror;
  #wanted = false;
  overlay = () => {};
  // Whether the picture is shown: nobody looks at a darkened screen.
  draws = true;
  // What the page is told: the camera went away, it is back, it does not come back.
  lost = () => {};
  back = () => {};
  gone = () => {};

  // With `mirror` the frames are flipped, as a mirror shows them: then the left of the picture is the person's own
  // left.
  constructor(shown, { mirror }) {
    this.#shown = shown;
    this.#mirror = mirror;
    this.#video.playsInline = true;
    this.#video.muted = true;
  }

  get on() { return this.#stream !== null; }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) throw new Error(t("camera.insecure"));
    this.#wanted = true;
    try {
      await this.#open();
    } catch (error) {
      this.stop();
      throw new Error(t(error.name === "NotAllowedError" ? "camera.refused" : "camera.none"));
    }
  }

  stop() {
    this.#wanted = false;
    this.#release();
  }

  #release() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
    this.#shown.getContext("2d").clearRect(0, 0, this.#shown.width, this.#shown.height);
  }

  async #open() {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
    if (!this.#wanted) {
      // Stopped while the person was asked.
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    this.#stream = stream;
    // A track that the page itself stops tells nothing.
    for (const track of stream.getVideoTracks())
      track.addEventListener("ended", () => stream === this.#stream && this.#reconnect());
    this.#video.srcObject = stream;
    await this.#video.play();
    this.#draw();
  }

  async #reconnect() {
    this.#release();
    this.lost();
    for (let tries = 0; tries < TRIES && this.#wanted; tries += 1) {
      await pause(TRY_EVERY);
      if (!this.#wanted || this.on) return;
      try {
        await this.#open();
        if (this.on) this.back();
        return;
      } catch {
        this.#release();
      }
    }
    if (!this.#wanted) return;
    this.stop();
    this.gone();
  }

  #draw = () => {
    if (!this.on) return;
    if (this.draws) {
      this.#copy(this.#shown, this.#video.videoWidth);
      this.overlay(this.#shown.getContext("2d"));
    }
    requestAnimationFrame(this.#draw);
  };

  #copy(canvas, width) {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return false;
    const height = Math.round((width * videoHeight) / videoWidth);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(this.#mirror ? -1 : 1, 0, 0, 1, this.#mirror ? width : 0, 0);
    context.drawImage(this.#video, 0, 0, width, height);
    context.setTransform(1, 0, 0, 1, 0, 0);
    return true;
  }

  // Draws the picture of now to a canvas, as wide as is said; whether there is one.
  draw(canvas, width) {
    return this.on && this.#copy(canvas, width);
  }

  // The picture of now, and its size; null while there is none yet.
  async frame() {
    if (!this.on || !this.#copy(this.#frame, Math.min(WIDTH, this.#video.videoWidth || WIDTH))) return null;
    const data = this.#frame.toDataURL("image/jpeg", 0.9);
    return { data: data.slice(data.indexOf(",") + 1), width: this.#frame.width, height: this.#frame.height };
  }
}
