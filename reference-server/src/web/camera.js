// The browser's camera, drawn to a canvas, and its frames as base64 JPEG.
const WIDTH = 640;

export class Camera {
  #stream = null;
  #video = document.createElement("video");
  #frame = document.createElement("canvas");
  #shown;
  #mirror;
  #overlay = () => {};

  // With `mirror` the frames are flipped, as a mirror shows them: then the left of the picture is the person's own left.
  constructor(shown, { mirror }) {
    this.#shown = shown;
    this.#mirror = mirror;
    this.#video.playsInline = true;
    this.#video.muted = true;
  }

  get on() { return this.#stream !== null; }

  set overlay(draw) { this.#overlay = draw; }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("This browser gives the camera only to https:// pages and to localhost.");
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
    } catch (error) {
      throw new Error(error.name === "NotAllowedError" ? "The camera was not allowed. Allow it in the browser, then start again." : "No camera could be opened.");
    }
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#draw();
  }

  stop() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
    this.#shown.getContext("2d").clearRect(0, 0, this.#shown.width, this.#shown.height);
  }

  #draw = () => {
    if (!this.on) return;
    this.#copy(this.#shown, this.#video.videoWidth);
    this.#overlay(this.#shown.getContext("2d"));
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

  // The picture of now, and its size; null while there is none yet.
  async frame() {
    if (!this.on || !this.#copy(this.#frame, Math.min(WIDTH, this.#video.videoWidth || WIDTH))) return null;
    const data = this.#frame.toDataURL("image/jpeg", 0.9);
    return { data: data.slice(data.indexOf(",") + 1), width: this.#frame.width, height: this.#frame.height };
  }
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
