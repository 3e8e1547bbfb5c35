// What stands in the fields of a page, kept while the page is entered anew.
import { element } from "./ui.js";

const TICKED = ["checkbox", "radio"];
// The value of these is the browser's own, or a list of files that no page may write.
const NOT_KEPT = ["file", "submit", "button", "reset"];

const fieldsOf = (root) =>
  [...root.querySelectorAll("input[id], select[id], textarea[id]")].filter(({ type }) => !NOT_KEPT.includes(type));

// Does `work` and keeps what is typed below `root`: in the fields that stay at once, in those that the work makes anew,
// which have the same ids, when it is done.
export async function keepTyped(root, work) {
  const typed = fieldsOf(root).map((field) => {
    const { id, type, value, checked } = field;
    return { id, field, kept: TICKED.includes(type) ? { checked } : { value } };
  });
  const done = work();
  for (const { field, kept } of typed) Object.assign(field, kept);
  await done;
  for (const { id, field, kept } of typed) {
    const now = element(id);
    if (now && now !== field) Object.assign(now, kept);
  }
}
