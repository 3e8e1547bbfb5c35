// A field that finds a student by name or roll number while one types.
import { get } from "./api.js";

const FOUND = 20;
// Nobody waits for what is typed in between.
const AFTER = 200;

export function chooser(input, options) {
  let found = [];
  let timer = null;
  const label = ({ name, roll_number: roll }) => `${name} (${roll})`;

  async function search(text) {
    const query = new URLSearchParams({ search: text, limit: FOUND });
    const { items } = await get(`/students/?${query}`);
    return items;
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    const text = input.value.trim();
    if (!text || found.some((student) => label(student) === text)) return;
    timer = setTimeout(async () => {
      try {
        found = await search(text);
      } catch {
        // The form says what is wrong when it is sent.
        return;
      }
      options.replaceChildren(...found.map((student) => {
        const option = document.createElement("option");
        option.value = label(student);
        return option;
      }));
    }, AFTER);
  });

  return {
    // The student who is meant: the one that was picked, or the only one whose roll number or name it is.
    async chosen() {
      const text = input.value.trim();
      const picked = found.find((student) => label(student) === text);
      if (picked || !text) return picked ?? null;
      const all = await search(text);
      const exact = all.filter(({ name, roll_number: roll }) => roll === text || name === text);
      if (exact.length === 1) return exact[0];
      return all.length === 1 ? all[0] : null;
    },
    clear() {
      input.value = "";
      found = [];
      options.replaceChildren();
    },
  };
}
