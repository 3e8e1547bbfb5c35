// The attendance table.
import { download, get, localTime } from "./api.js";

const element = (id) => document.getElementById(id);
const SIZE = 50;
let skip = 0;

export function enter() {
  skip = 0;
  load();
}
export function leave() {}

async function load() {
  const query = new URLSearchParams({ skip, limit: SIZE });
  for (const [name, value] of new FormData(element("attendance-form"))) if (value) query.set(name, value);
  const count = element("attendance-count");
  let page;
  try {
    page = await get(`/attendance/?${query}`);
  } catch (error) {
    count.textContent = error.message;
    return;
  }
  const rows = page.items.map((item) => {
    const row = document.createElement("tr");
    const similarity = item.confidence_score === null ? "" : item.confidence_score.toFixed(3);
    const values = [item.student_name, item.student_roll_number, localTime(item.timestamp), item.status, similarity, item.camera_location ?? ""];
    row.append(...values.map((value, at) => {
      const td = document.createElement("td");
      td.textContent = value;
      if (at === 4) td.className = "number";
      return td;
    }));
    return row;
  });
  element("attendance-rows").replaceChildren(...rows);
  const last = skip + page.items.length;
  count.textContent = page.total === 0 ? "Nobody was marked in these days." : `${skip + 1} to ${last} of ${page.total}`;
  element("newer").disabled = skip === 0;
  element("older").disabled = last >= page.total;
}

element("attendance-form").addEventListener("submit", (event) => {
  event.preventDefault();
  enter();
});
// The fields are empty only after the event.
element("attendance-form").addEventListener("reset", () => setTimeout(enter));
element("newer").addEventListener("click", () => { skip = Math.max(0, skip - SIZE); load(); });
element("older").addEventListener("click", () => { skip += SIZE; load(); });

// The export takes days; a status is for looking.
async function save(format) {
  const { start_date, end_date } = Object.fromEntries(new FormData(element("attendance-form")));
  try {
    await download("/attendance/export", { format, start_date: start_date || null, end_date: end_date || null });
  } catch (error) {
    element("attendance-count").textContent = error.message;
  }
}
element("export-csv").addEventListener("click", () => save("csv"));
element("export-excel").addEventListener("click", () => save("excel"));
