// Registration: the person looks straight, to the left and to the right; the frame that completes it also enrols.
import { Camera, pause, post } from "./camera.js";

const root = document.getElementById("content-main");
const element = (id) => document.getElementById(id);
const POSITIONS = ["center", "left", "right"];
const ASK = {
  center: "Look straight into the camera.",
  left: "Turn your head slowly to your left.",
  right: "Turn your head slowly to your right.",
};
const FRAME_EVERY = 200;

const camera = new Camera(element("fa-picture"), { mirror: true });
// Counts the starts: answers to an earlier start's frames are ignored.
let run = 0;

function guide(text, kind = "") {
  const guidance = element("fa-guidance");
  // Unchanged text must not be announced again.
  if (guidance.textContent !== text) guidance.textContent = text;
  guidance.className = `fa-guidance ${kind}`;
}

function paint(verified, now) {
  for (const part of root.querySelectorAll("[data-position]")) {
    part.classList.toggle("done", verified.includes(part.dataset.position));
    part.classList.toggle("now", part.dataset.position === now);
  }
}

function turnOff() {
  run += 1;
  camera.stop();
  element("fa-off").hidden = false;
  element("fa-start").hidden = false;
  element("fa-stop").hidden = true;
}

function finish(answer) {
  paint(POSITIONS, null);
  turnOff();
  guide("Thank you. The face is registered.", "good");
  element("fa-state").textContent = `registered live, liveness ${answer.liveness_score.toFixed(2)}`;
  element("fa-done").hidden = false;
  element("fa-start").textContent = "Register again";
}

async function start() {
  turnOff();
  paint([], null);
  const mine = run;
  let session;
  try {
    guide("Starting the camera …");
    await camera.start();
    session = (await post(root.dataset.begin)).session_id;
  } catch (error) {
    turnOff();
    guide(error.message, "bad");
    return;
  }
  element("fa-off").hidden = true;
  element("fa-start").hidden = true;
  element("fa-stop").hidden = false;
  let position = "center";
  paint([], position);
  guide(ASK[position]);
  while (mine === run) {
    const began = performance.now();
    const frame = await camera.frame();
    if (frame) {
      let answer;
      try {
        answer = await post(root.dataset.frame, { session, position }, frame.jpeg);
      } catch (error) {
        if (mine !== run) return;
        if (error.status && ![400, 429, 503].includes(error.status)) {
          turnOff();
          guide(error.message, "bad");
          return;
        }
        guide(error.message);
        await pause(1000);
        continue;
      }
      if (mine !== run) return;
      if (answer.enrolled) return finish(answer);
      if (answer.status === "COMPLETED") {
        // The face is another student's: the last sentence says whose.
        turnOff();
        guide(answer.advice.at(-1) ?? "Please start again.", "bad");
        return;
      }
      if (answer.status === "FAILED" || answer.status === "EXPIRED") {
        turnOff();
        guide(answer.advice[0] ?? "Please start again.", "bad");
        return;
      }
      position = answer.next ?? position;
      paint(answer.verified, position);
      // After a position passed, its successor is announced; otherwise what to do better.
      guide(answer.is_live ? ASK[position] : answer.advice[0] ?? ASK[position]);
    }
    await pause(Math.max(0, FRAME_EVERY - (performance.now() - began)));
  }
}

element("fa-start").addEventListener("click", start);
// A click before this script has come would be lost.
element("fa-start").disabled = false;
element("fa-stop").addEventListener("click", () => {
  turnOff();
  guide("The camera is off. Start it again for a new session.");
  paint([], null);
});
