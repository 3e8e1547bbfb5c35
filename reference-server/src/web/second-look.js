// The second-look list: whom a camera recognized and did not believe to be alive. An operator decides in one click.
import { get, post } from "./api.js";
import { listen } from "./events.js";
import { nothing, person } from "./looks.js";
import { may } from "./roles.js";
import { dateTime, number, t, told } from "./text.js";
import * as unknownFaces from "./unknown-faces.js";
import { Pager, button, element, make, say, showRows } from "./ui.js";

const VERDICTS = { undecided: "second_look.undecided", spoof: "second_look.spoof" };
// The codes of the core's `gate`; one that is not known here is shown as it is.
const REASONS = {
  few_views: "life.few_views",
  unproven_face: "life.unproven_face",
  little_movement: "life.little_movement",
  passive_low: "life.passive_low",
  frozen: "life.frozen",
  unanswered: "life.unanswered",
  not_me: "life.not_me",
};
const STATES = {
  confirmed: "second_look.confirmed",
  refused: "second_look.refused",
  settled: "second_look.settled",
};
const DECIDED_BY = { confirmed: "second_look.confirmed_by", refused: "second_look.refused_by" };
const TOLD = { confirm: "second_look.now_marked", refuse: "second_look.now_refused" };

let shown = false;

const pager = new Pager("second-look", 50, "second_look.none", async ({ skip, limit }) => {
  const state = element("second-look-state").value;
  const query = new URLSearchParams({ skip, limit, ...(state && { state }) });
  const page = await get(`/attendance/second-looks?${query}`);
  showRows(element("second-look-rows"), page.items.map((item) => [
    person(item.student_id, item.student_name),
    item.student_roll_number,
    dateTime(item.timestamp),
    item.camera_location ?? "",
    item.confidence_score === null ? "" : number(item.confidence_score, { maximumFractionDigits: 3 }),
    why(item),
    item.state === "open" ? choices(item) : decision(item),
  ]));
  if (state === "open") badge(page.total);
  return page;
}, () => nothing("scan-eye", "second_look.none", "second_look.none_what"));

export async function enter() {
  shown = true;
  say(element("second-look-note"), "");
  element("second-look-only-look").hidden = may("operator");
  await Promise.all([pager.first(), count(), unknownFaces.look()]);
}

export function leave() {
  shown = false;
}

// Asks how many wait, for the navigation.
export async function count() {
  try {
    badge((await get("/attendance/second-looks?state=open&limit=1")).total);
  } catch {
    // The page's own requests say what is wrong.
  }
}

function badge(waiting) {
  const place = element("second-look-open");
  place.hidden = waiting === 0;
  place.replaceChildren();
  if (waiting === 0) return;
  // To the eye a number, to the ear a sentence.
  const seen = make("span", { textContent: number(waiting) });
  seen.setAttribute("aria-hidden", "true");
  const heard = make("span", { className: "hidden", textContent: t("second_look.waiting", { count: waiting }) });
  place.replaceChildren(" ", seen, heard);
}

function why(item) {
  const reasons = item.reasons.map((code) => told(REASONS, code));
  const verdict = told(VERDICTS, item.verdict);
  return reasons.length ? t("second_look.because", { verdict, reasons: reasons.join("; ") }) : verdict;
}

function choices(item) {
  if (!may("operator")) return "";
  const values = { name: item.student_name, when: dateTime(item.timestamp) };
  return make(
    "span",
    { className: "actions" },
    button(t("second_look.confirm"), t("second_look.confirm_of", values), (event) => decide(item, "confirm", event)),
    button(t("second_look.refuse"), t("second_look.refuse_of", values), (event) => decide(item, "refuse", event)),
  );
}

// What was decided: by whom and when, or that a mark made it needless.
function decision(item) {
  const sentence = DECIDED_BY[item.state];
  if (!sentence || !item.decided_by) return told(STATES, item.state);
  return t(sentence, { name: item.decided_by, when: dateTime(item.decided_at) });
}

async function decide(item, answer, event) {
  const note = element("second-look-note");
  const line = event.currentTarget.closest("tr");
  const at = [...line.parentElement.children].indexOf(line);
  // A second click would be answered that it is decided already.
  for (const choice of line.querySelectorAll("button")) choice.disabled = true;
  try {
    await post(`/attendance/second-looks/${item.id}/${answer}`);
    say(note, t(TOLD[answer], { name: item.student_name, when: dateTime(item.timestamp) }), "good");
  } catch (error) {
    say(note, error.status === 409 ? t("second_look.decided_already") : error.message, "bad");
  }
  await pager.show();
  // The button is gone with its row: the next row's is as near, so that a list is worked off by the keyboard.
  const lines = element("second-look-rows").children;
  const next = lines[Math.min(at, lines.length - 1)]?.querySelector("button");
  (next ?? element("second-look-count")).focus();
}

element("second-look-state").addEventListener("change", () => pager.first());
// Whoever is about to press a button of a row is not disturbed.
const follow = () => {
  if (shown && pager.skip === 0 && !element("second-look-rows").contains(document.activeElement)) pager.show();
};
listen("second_look", () => {
  count();
  follow();
});
// A mark settles the sightings of its day and period.
listen("attendance_marked", () => {
  if (element("second-look-open").hidden) return;
  count();
  follow();
});
// What happened while nothing was heard.
listen("connection", (open) => {
  if (open) count();
});
