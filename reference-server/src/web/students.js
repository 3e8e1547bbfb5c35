// The students: search, a new face, erase.
import { button, erase, get, localTime, row, say } from "./api.js";

const element = (id) => document.getElementById(id);
const SIZE = 50;
let skip = 0;

export function enter() {
  skip = 0;
  say(element("students-note"), "");
  load();
}
export function leave() {}

async function load() {
  const query = new URLSearchParams({ skip, limit: SIZE });
  const search = element("search").value.trim();
  if (search) query.set("search", search);
  const count = element("students-count");
  let page;
  try {
    page = await get(`/students/?${query}`);
  } catch (error) {
    count.textContent = error.message;
    return;
  }
  element("students-rows").replaceChildren(...page.items.map((student) => {
    const actions = document.createElement("span");
    actions.className = "actions";
    actions.append(
      button("New face", `New face for ${student.name}`, () => { location.hash = `register/${student.id}`; }),
      button("Erase", `Erase ${student.name}`, () => ask(student)),
    );
    return row([student.name, student.roll_number, student.liveness_verified ? "verified" : "none", localTime(student.created_at), actions]);
  }));
  const last = skip + page.items.length;
  count.textContent = page.total === 0 ? "No student is found." : `${skip + 1} to ${last} of ${page.total}`;
  element("students-before").disabled = skip === 0;
  element("students-after").disabled = last >= page.total;
}

function ask(student) {
  const dialog = element("erase");
  element("erase-who").textContent = `${student.name} (${student.roll_number})`;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", async () => {
    if (dialog.returnValue !== "yes") return;
    const note = element("students-note");
    try {
      const { receipt } = await erase(`/students/${student.id}`);
      say(note, `Erased: ${receipt.templates} templates, ${receipt.liveness_sessions} sessions, ${receipt.attendance_deleted} marks.`, "good");
    } catch (error) {
      say(note, error.message, "bad");
    }
    load();
  }, { once: true });
}

element("students-form").addEventListener("submit", (event) => {
  event.preventDefault();
  enter();
});
element("students-before").addEventListener("click", () => { skip = Math.max(0, skip - SIZE); load(); });
element("students-after").addEventListener("click", () => { skip += SIZE; load(); });
