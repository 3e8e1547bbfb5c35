// What the pages say. Every sentence has a key and stands in text.en.json and its sisters; a further language is one
// more such file and one more line here (and in mod.rs, whose tests say what is missing). Each is called by its own
// name.
export const LANGUAGES = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  hi: "हिन्दी",
  ar: "العربية",
};
const FROM_RIGHT_TO_LEFT = ["ar"];
const ENGLISH = "en";
const CHOICE = "faceattend.language";
// Days are those of the Gregorian calendar in every language, as in the server's answers and exports. Digits are those
// of the browser's region: Arabic ones are read in Egypt, Latin ones in Morocco and where no region is named.
const CALENDAR = "gregory";

// What people and their numbers are called here, by language; without a language for every other.
const NOUNS = "nouns.json";
const EVERY_OTHER = "";
const SAID_WITH_THEM = ".named";

let sentences = {};
let nouns = null;
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

// Whether the pages run from the right to the left.
export const mirrored = () => FROM_RIGHT_TO_LEFT.includes(language);

// A value of the other direction must not move the words and brackets around it: "(R-7) Grace" in an Arabic sentence.
// The signs (first strong isolate, pop directional isolate) do in a plain text what `<bdi>` does in a document.
const [ISOLATE, END] = ["\u2068", "\u2069"];
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const isolated = (value) => (mirrored() || RIGHT_TO_LEFT.test(value) ? `${ISOLATE}${value}${END}` : value);

// Loads the preferred language, or the given one, which is then remembered; fills the document with it.
export async function speak(wanted) {
  if (wanted) localStorage.setItem(CHOICE, wanted);
  const next = wanted ?? preferred();
  const response = await fetch(`text.${next}.json`);
  if (!response.ok) throw new Error(`text.${next}.json: ${response.status}`);
  sentences = await response.json();
  nouns ??= await fetch(NOUNS).then((answer) => (answer.ok ? answer.json() : {}), () => ({}));
  language = next;
  locale = navigator.languages.find((tag) => base(tag) === next) ?? next;
  document.documentElement.lang = next;
  document.documentElement.dir = mirrored() ? "rtl" : "ltr";
  fill(document);
}

// The nouns of this place in this language, where it has any: one that it has not is the language's own.
function wordsHere() {
  const of = (kind) => nouns?.[kind]?.[language] ?? nouns?.[kind]?.[EVERY_OTHER];
  const [person, called] = [of("person"), of("number")];
  if (!person && !called) return null;
  return {
    person: person?.one ?? sentences["attendance.student"],
    people: person?.many ?? sentences["nav.students"],
    number: called ?? sentences["student.roll"],
  };
}

// Makes a format of Intl once for each language: a long list uses one thousands of times.
const formats = new Map();
export function format(kind, options = {}) {
  const key = `${kind} ${locale} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl[kind](locale, options));
  return formats.get(key);
}

// The sentence of a key, with `{name}` replaced by the values. A sentence that depends on a number is an object of the
// categories that Intl.PluralRules names, chosen by the value `count`.
export function t(key, values = {}) {
  const words = wordsHere();
  const found = (words && sentences[key + SAID_WITH_THEM]) ?? sentences[key] ?? key;
  const sentence =
    typeof found === "string" ? found : (found[format("PluralRules").select(values.count)] ?? found.other);
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name] ?? words?.[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : isolated(String(value));
  });
}

export const number = (value, options = {}) => format("NumberFormat", options).format(value);

// What the server names by a stable code, or by a sentence that never changes: the table says which key that is.
export const told = (table, name, otherwise = name) => (Object.hasOwn(table, name) ? t(table[name]) : otherwise);

// Times come as naive UTC.
const moment = (naive) => new Date(`${naive}Z`);
const dated = (naive, options) => format("DateTimeFormat", { calendar: CALENDAR, ...options }).format(moment(naive));
export const dateTime = (naive) => dated(naive, { dateStyle: "medium", timeStyle: "short" });
export const clock = (naive) => dated(naive, { timeStyle: "short" });
export const timeOfDay = (naive) => dated(naive, { timeStyle: "medium" });
export const date = (naive) => dated(naive, { dateStyle: "medium" });
export const list = (words) => format("ListFormat", { type: "conjunction" }).format(words.map(isolated));
// What is told of one thing, one behind the other; what is empty is left out.
export const series = (words) => words.filter(Boolean).map(isolated).join(t("list.comma"));

// The text, the accessible name and the example of every element below `root` that names a key for them.
export function fill(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", t(element.dataset.label));
  for (const element of root.querySelectorAll("[data-example]")) element.placeholder = t(element.dataset.example);
}
