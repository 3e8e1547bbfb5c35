// The browser's camera, drawn to a canvas, and its frames as JPEG.
const WIDTH = 640;

export class Camera {
  #stream = null;
  #video = document.createElement("video");
  #frame = document.createElement("canvas");
  #shown;
  #mirror;

  // With `mirror` the frames are flipped, as a mirror shows them: the left of the picture is the person's own left.
  constructor(shown, { mirror }) {
    this.#shown = shown;
    this.#mirror = mirror;
    this.#video.playsInline = true;
    this.#video.muted = true;
    this.overlay = () => {};
  }

  get on() { return this.#stream !== null; }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("This browser gives the camera only to https:// pages and to localhost.");
    }
    try {
      const video = { width: { ideal: 1280 }, facingMode: "user" };
      this.#stream = await navigator.mediaDevices.getUserMedia({ video });
    } catch (error) {
      throw new Error(error.name === "NotAllowedError"
        ? "The camera was not allowed. Allow it in the browser, then start again." : "No camera could be opened.");
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
    if (this.#copy(this.#shown, this.#video.videoWidth)) this.overlay(this.#shown.getContext("2d"), this.#shown);
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

  // The picture of now as a JPEG, and its size; null while there is none yet.
  async frame() {
    if (!this.on || !this.#copy(this.#frame, Math.min(WIDTH, this.#video.videoWidth || WIDTH))) return null;
    const jpeg = await new Promise((resolve) => this.#frame.toBlob(resolve, "image/jpeg", 0.9));
    return jpeg && { jpeg, width: this.#frame.width, height: this.#frame.height };
  }
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Posts a body to Django; an answer that is no success is an error with its status and the server's sentence.
export async function post(url, parameters = {}, body = null) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const query = new URLSearchParams(parameters).toString();
  const headers = { "X-CSRFToken": token, ...(body ? { "Content-Type": "image/jpeg" } : {}) };
  const request = { method: "POST", headers, body, credentials: "same-origin" };
  const answer = await fetch(query ? `${url}?${query}` : url, request);
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const problem = new Error(data.detail ?? `The server answered ${answer.status}.`);
    throw Object.assign(problem, { status: answer.status });
  }
  return data;
}
