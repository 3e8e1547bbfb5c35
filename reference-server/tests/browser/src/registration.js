// Registers a person on a page.
import assert from "node:assert/strict";

// A registration has six steps of some pictures each; a debug build on a busy machine takes its time over each.
const REGISTRATION = 180_000;

// The person does what the page asks, until `sentence` is said or the page gives up.
export async function follow(camera, on, sentence, { meanwhile = async () => {} } = {}) {
  const ended = Date.now() + REGISTRATION;
  for (;;) {
    const { asked, said, passed, off, bad } = await on.evaluate(() => ({
      asked: document.querySelector(".steps .now")?.id.replace("step-", ""),
      said: document.getElementById("guidance").textContent,
      passed: document.getElementById("register-progress").value,
      off: !document.getElementById("register-start").hidden,
      bad: document.getElementById("guidance").classList.contains("bad"),
    }));
    if (said === sentence) return;
    assert.ok(Date.now() < ended, `the page still says "${said}", ${passed} steps done`);
    assert.ok(!(off && bad), `the page gave up: "${said}"`);
    if (asked) camera.turn(asked);
    await meanwhile({ asked, said, passed });
    await on.waitForTimeout(100);
  }
}

export const cameraIsOff = (on) =>
  on.evaluate(() =>
    window.streams.every((stream) => stream.getTracks().every((track) => track.readyState === "ended")),
  );

// Keeps the streams that the page opens, to look at them; they are the fake camera's own.
export const watchStreams = (on) => on.evaluate(() => {
  window.streams = [];
  const given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await given(wanted);
    window.streams.push(stream);
    return stream;
  };
});
