// Two records of one person: who they may be, side by side, and how they become one.
import { get, post } from "./api.js";
import { may } from "./roles.js";
import { date, number, t } from "./text.js";
import { button, element, make, say } from "./ui.js";

const named = (student) => t("merge.named", { name: student.name, roll: student.roll_number });

// The two records of the dialog, the one that stays first, and what is done after the merge.
let records = [];
let done = () => {};

// Shows the pairs who look alike; `after` is called with what to say once two were merged.
export async function showTwice(after) {
  const card = element("twice");
  let found;
  try {
    found = (await get("/students/look-alikes")).data;
  } catch {
    // The list itself says what is wrong.
    card.hidden = true;
    return;
  }
  card.hidden = found.pairs.length === 0;
  element("twice-pairs").replaceChildren(...found.pairs.map(({ earlier, later, similarity }) => {
    const line = make("li", { className: "pair" }, recordOf(earlier), recordOf(later));
    const alike = number(similarity, { maximumFractionDigits: 2 });
    line.append(make("span", { className: "hint", textContent: t("twice.alike", { similarity: alike }) }));
    if (may("operator")) {
      const label = t("merge.of", { one: earlier.name, other: later.name });
      line.append(button(t("merge.open"), label, () => askMerge(earlier, later, after)));
    }
    return line;
  }));
}

function recordOf(student) {
  return make(
    "span", { className: "record" },
    make("strong", { textContent: student.name }),
    make("span", { className: "hint", textContent: t("twice.record", {
      roll: student.roll_number, since: date(student.created_at),
    }) }),
  );
}

// Asks how the two become one; without a second one, whom first.
export function askMerge(one, other, after) {
  records = other ? [one, other] : [one];
  done = after;
  element("merge-form").reset();
  say(element("merge-note"), "");
  show();
  element("merge").showModal();
}

function show() {
  const both = records.length === 2;
  element("merge-find").hidden = both;
  element("merge-choices").hidden = !both;
  element("merge-yes").disabled = !both;
  element("merge-whom").textContent = both ? "" : named(records[0]);
  if (!both) return;
  for (const [at, student] of records.entries()) {
    element(`merge-kept-${at}`).value = String(student.id);
    element(`merge-kept-${at}-name`).textContent = named(student);
    element(`merge-face-${at}`).value = String(student.id);
    element(`merge-face-${at}-name`).textContent = named(student);
  }
  tell();
}

const picked = (name) => Number(new FormData(element("merge-form")).get(name));

function chosen() {
  const stays = picked("kept");
  const kept = records.find((student) => student.id === stays);
  return { kept, gone: records.find((student) => student !== kept), face: picked("face") };
}

// What will happen, with both names.
function tell() {
  const { kept, gone } = chosen();
  element("merge-what").textContent = t("merge.what", { kept: named(kept), gone: named(gone) });
}

async function find() {
  const roll = element("merge-roll").value.trim();
  const note = element("merge-note");
  if (!roll) return;
  try {
    const { items } = await get(`/students/?${new URLSearchParams({ search: roll, limit: 1000 })}`);
    const other = items.find((student) => student.roll_number === roll && student.id !== records[0].id);
    say(note, other ? "" : t("merge.nobody", { roll }), "bad");
    if (!other) return;
    records = [records[0], other];
    show();
    element("merge-kept-0").focus();
  } catch (error) {
    say(note, error.message, "bad");
  }
}

element("merge-look").addEventListener("click", find);
element("merge-roll").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  find();
});
element("merge-choices").addEventListener("change", tell);
element("merge-cancel").addEventListener("click", () => element("merge").close());
element("merge-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { kept, gone, face } = chosen();
  try {
    const { data } = await post(`/students/${kept.id}/merge`, {
      other_student_id: gone.id, face: face === kept.id ? "kept" : "other",
    });
    element("merge").close();
    await done(t("merge.done", {
      kept: named(kept), gone: named(gone), moved: data.attendance_moved, joined: data.attendance_joined,
    }));
  } catch (error) {
    say(element("merge-note"), error.message, "bad");
  }
});
