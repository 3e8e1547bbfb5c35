// What stands in the fields of a page, kept while the page is made anew.
import { element } from "./ui.js";

const TICKED = ["checkbox", "radio"];
// The value of these is the browser's own, or lies in a list of files that no page may write.
const NOT_KEPT = ["file", "submit", "button", "reset"];

// By id: a page may make its fields anew when it is entered.
export function whatIsTyped(root) {
  const fields = [...root.querySelectorAll("input[id], select[id], textarea[id]")];
  return fields
    .filter(({ type }) => !NOT_KEPT.includes(type))
    .map(({ id, type, value, checked }) => ({ id, kept: TICKED.includes(type) ? { checked } : { value } }));
}

// A field that is no longer there has nothing to keep.
export function typeAgain(fields) {
  for (const { id, kept } of fields) {
    const field = element(id);
    if (field) Object.assign(field, kept);
  }
}
