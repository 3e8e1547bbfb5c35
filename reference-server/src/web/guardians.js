// The addresses of a student's guardians: asked for in the student's menu, shown nowhere else.
import { get, put } from "./api.js";
import { LANGUAGES, t } from "./text.js";
import { element, make, say } from "./ui.js";

// What a form has room for; the server says when it is too many.
const ROWS = 4;

let whose = null;
let told = null;

function row(guardian, at) {
  const email = make("input", { type: "email", id: `guardian-email-${at}`, maxLength: 254 });
  email.value = guardian?.email ?? "";
  email.autocomplete = "off";
  const language = make("select", { id: `guardian-language-${at}` },
    ...Object.entries(LANGUAGES).map(([value, textContent]) => make("option", { value, textContent, lang: value })));
  language.value = guardian?.language ?? document.documentElement.lang;
  language.setAttribute("aria-label", t("notices.language"));
  const label = make("label", { htmlFor: email.id, textContent: t("guardians.email") });
  return make("div", { className: "pair" }, label, email, language);
}

export async function askGuardians(student, done) {
  [whose, told] = [student, done];
  element("guardians-title").textContent = t("guardians.of", { name: student.name });
  const rows = element("guardians-rows");
  rows.replaceChildren();
  say(element("guardians-note"), "");
  element("guardians-dialog").showModal();
  try {
    const { guardians } = (await get(`/students/${student.id}/guardians`)).data;
    const number = Math.max(ROWS, guardians.length + 1);
    rows.replaceChildren(...Array.from({ length: number }, (_, at) => row(guardians[at], at)));
  } catch (error) {
    say(element("guardians-note"), error.message, "bad");
  }
}

element("guardians-cancel").addEventListener("click", () => element("guardians-dialog").close());
element("guardians-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const rows = [...element("guardians-rows").children].map((one) => ({
    email: one.querySelector("input").value.trim(), language: one.querySelector("select").value,
  })).filter(({ email }) => email);
  try {
    await put(`/students/${whose.id}/guardians`, {
      emails: rows.map(({ email }) => email), languages: rows.map(({ language }) => language),
    });
  } catch (error) {
    say(element("guardians-note"), error.message, "bad");
    return;
  }
  element("guardians-dialog").close();
  told(t("guardians.kept", { name: whose.name }));
});
