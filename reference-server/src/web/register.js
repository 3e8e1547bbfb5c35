// Registration: a liveness session with the browser's camera, then name and roll number. The server draws the order of
// the positions and tells one after the other, each with a word that the frames answering it carry.
import { post, say } from "./api.js";
import { Camera, pause } from "./camera.js";

const element = (id) => document.getElementById(id);
const POSITIONS = ["center", "left", "right"];
const ASK = {
  center: "Look straight into the camera.",
  left: "Turn your head slowly to your left.",
  right: "Turn your head slowly to your right.",
};
const FRAME_EVERY = 200;

// Mirrored, as the server takes frames by default: the person's own left is the left of the picture.
const camera = new Camera(element("register-canvas"), { mirror: true });
let session = null;
// The server's last question: { position, nonce, steps }, and when the session began on this clock.
let question = null;
let began = 0;
let completed = false;
// Counts the starts: answers to an earlier start's frames are ignored.
let run = 0;

// Whose face it will be, when the students' page asks for a new one.
const known = () => /^#register\/(\d+)$/.exec(location.hash)?.[1];

export function enter() {
  element("register-form").hidden = known() !== undefined;
}
export const leave = () => turnOff();

function guide(text) {
  // Unchanged text must not be announced again.
  if (element("guidance").textContent !== text) element("guidance").textContent = text;
}

function paint(verified, now, steps = { passed: verified.length, all: POSITIONS.length }) {
  for (const position of POSITIONS) {
    for (const id of [`arc-${position}`, `step-${position}`]) {
      element(id).classList.toggle("done", verified.includes(position));
      element(id).classList.toggle("now", position === now);
    }
  }
  Object.assign(element("register-progress"), { max: steps.all, value: steps.passed });
}

function ready(isReady) {
  completed = isReady;
  element("register-submit").disabled = !isReady;
  element("register-need").hidden = isReady;
}

function turnOff() {
  run += 1;
  camera.stop();
  element("register-off").hidden = false;
  element("register-start").hidden = false;
  element("register-stop").hidden = true;
}

async function start() {
  turnOff();
  ready(false);
  paint([], null);
  say(element("register-note"), "");
  const mine = run;
  try {
    await camera.start();
    const begun = (
      await post("/liveness/session", known() ? { challenge: "random", student_id: Number(known()) } : { challenge: "random" })
    ).data;
    session = begun.session_id;
    began = performance.now();
    ask(begun);
  } catch (error) {
    turnOff();
    guide(error.message);
    return;
  }
  element("register-off").hidden = true;
  element("register-start").hidden = true;
  element("register-stop").hidden = false;
  await capture(mine);
}

function ask({ next_position: position, nonce, steps }) {
  question = { position: position ?? question?.position ?? "center", nonce, steps };
}

async function capture(mine) {
  paint([], question.position, question.steps);
  guide(ASK[question.position]);
  while (mine === run) {
    const at = performance.now();
    const frame = await camera.frame();
    if (frame) {
      const { position, nonce } = question;
      let answer;
      try {
        answer = await post("/liveness/detect", {
          session_id: session, position, nonce, frame_data: frame.data, elapsed_ms: Math.round(at - began),
        });
      } catch (error) {
        if (mine !== run) return;
        // A frame may get lost or come too thick; a session that is over is over.
        if (error.status && ![400, 429, 503].includes(error.status)) {
          turnOff();
          guide(`${error.message}. Please start again.`);
          return;
        }
        guide(error.message);
        await pause(1000);
        continue;
      }
      if (mine !== run) return;
      if (answer.session_completed) {
        paint(POSITIONS, null, answer.steps);
        turnOff();
        if (known()) {
          guide("Student embeddings captured and saved successfully");
          return;
        }
        ready(true);
        guide("Thank you. All three positions are verified.");
        element(element("student-name").value ? "register-submit" : "student-name").focus();
        return;
      }
      if (answer.status === "FAILED" || answer.status === "EXPIRED") {
        turnOff();
        guide(answer.reasons[0]?.advice ?? "Please start again.");
        return;
      }
      ask(answer);
      paint(answer.verified, question.position, answer.steps);
      // After a position passed, its successor is announced; otherwise what to do better.
      guide(answer.is_live ? ASK[question.position] : answer.reasons[0]?.advice ?? ASK[question.position]);
    }
    await pause(Math.max(0, FRAME_EVERY - (performance.now() - at)));
  }
}

element("register-start").addEventListener("click", start);
element("register-stop").addEventListener("click", () => {
  turnOff();
  guide("The camera is off. Start it again for a new session.");
  paint([], null);
});

element("register-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!completed) return;
  const form = new FormData(event.target);
  const note = element("register-note");
  element("register-submit").disabled = true;
  try {
    const { data } = await post("/liveness/register-student", {
      name: form.get("name").trim(), roll_number: form.get("roll_number").trim(), session_id: session,
    });
    ready(false);
    event.target.reset();
    paint([], null);
    guide("Start the camera for the next student.");
    // Enrolled, with what the operator should know, such as a face that somebody else has.
    const warnings = (data.warnings ?? []).map((warning) => ` ${warning.advice}`).join("");
    say(note, `Student embeddings captured and saved successfully.${warnings}`, warnings ? "bad" : "good");
  } catch (error) {
    say(note, error.message, "bad");
    element("register-submit").disabled = !completed;
  }
});
