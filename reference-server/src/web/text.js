// What the pages say. Every sentence has a key and stands in text.en.json and text.de.json; a further language is one
// more such file and one more line here (and in mod.rs, whose tests say what is missing).
export const LANGUAGES = { en: "English", de: "Deutsch" };
const ENGLISH = "en";
const CHOICE = "faceattend.language";

let sentences = {};
let language = ENGLISH;
// The language with its region where the browser names one: dates and numbers differ between en-GB and en-US.
let locale = ENGLISH;

const base = (tag) => tag.toLowerCase().split("-")[0];

// What the person chose here before, else the first of the browser's languages that there is, else English.
function preferred() {
  const wished = [localStorage.getItem(CHOICE), ...navigator.languages].filter(Boolean);
  return wished.map(base).find((tag) => tag in LANGUAGES) ?? ENGLISH;
}

export const chosen = () => language;
// With its region: how days and numbers are written.
export const region = () => locale;

// Loads the preferred language, or the given one, which is then remembered; fills the document with it.
export async function speak(wanted) {
  if (wanted) localStorage.setItem(CHOICE, wanted);
  const next = wanted ?? preferred();
  const response = await fetch(`text.${next}.json`);
  if (!response.ok) throw new Error(`text.${next}.json: ${response.status}`);
  sentences = await response.json();
  language = next;
  locale = navigator.languages.find((tag) => base(tag) === next) ?? next;
  document.documentElement.lang = next;
  fill(document);
}

// The sentence of a key, with `{name}` replaced by the values. A sentence that depends on a number is an object of the
// categories that Intl.PluralRules names, chosen by the value `count`.
export function t(key, values = {}) {
  const found = sentences[key] ?? key;
  const sentence =
    typeof found === "string" ? found : (found[new Intl.PluralRules(locale).select(values.count)] ?? found.other);
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : value;
  });
}

export const number = (value, options = {}) => new Intl.NumberFormat(locale, options).format(value);

// What the server names by a stable code, or by a sentence that never changes: the table says which key that is.
export const told = (table, name, otherwise = name) => (Object.hasOwn(table, name) ? t(table[name]) : otherwise);

// Times come as naive UTC.
const moment = (naive) => new Date(`${naive}Z`);
export const dateTime = (naive) =>
  new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(moment(naive));
export const timeOfDay = (naive) => new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(moment(naive));
export const date = (naive) => new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(moment(naive));
export const list = (words) => new Intl.ListFormat(locale, { type: "conjunction" }).format(words);

// The text, the accessible name and the example of every element below `root` that names a key for them.
export function fill(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", t(element.dataset.label));
  for (const element of root.querySelectorAll("[data-example]")) element.placeholder = t(element.dataset.example);
}
