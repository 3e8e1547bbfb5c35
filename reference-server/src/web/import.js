// The import of a list: a file is shown as what it would change, with what is wrong by line, and imported as shown.
import { upload } from "./api.js";
import { day } from "./site-time.js";
import { chosen, list, number, t, told } from "./text.js";
import { element, make, say, showRows } from "./ui.js";

// So many changes and problems are shown; the figures above tell how many there are.
const SHOWN = 200;
const COUNTS = {
  new: "import.count_new", changed: "import.count_changed", unchanged: "import.count_unchanged",
  missing: "import.count_missing", problems: "import.count_problems",
};
const PROBLEMS = {
  empty: "problem.empty", too_large: "problem.too_large", unknown_format: "problem.unknown_format",
  damaged: "problem.damaged", password_protected: "problem.password_protected",
  unknown_sheet: "problem.unknown_sheet", unknown_encoding: "problem.unknown_encoding",
  open_quote: "problem.open_quote", no_column: "problem.no_column", column_twice: "problem.column_twice",
  missing: "problem.missing", too_long: "problem.too_long", control_character: "problem.control_character",
  formula_error: "problem.formula_error", number_changed: "problem.number_changed",
  roll_number_twice: "problem.roll_number_twice", bad_date: "problem.bad_date",
  ambiguous_date: "problem.ambiguous_date", ends_before_it_begins: "problem.ends_before_it_begins",
  bad_email: "problem.bad_email", several_students: "problem.several_students",
};

let plan = null;
let done = async () => {};
let turns = 0;

export function open(whenDone) {
  done = whenDone;
  plan = null;
  turns += 1;
  element("import-form").reset();
  element("import-sheets").hidden = element("import-plan").hidden = element("import-progress").hidden = true;
  element("import-apply").disabled = true;
  say(element("import-note"), "");
  element("import").showModal();
}

const file = () => element("import-file").files[0] ?? null;
const photos = () => [...element("import-photos").files];

async function send(mode) {
  const query = new URLSearchParams({ mode, language: chosen() });
  if (element("import-missing").checked) query.set("withdraw_missing", "true");
  const sheet = element("import-sheets").hidden ? "" : element("import-sheet").value;
  if (sheet) query.set("sheet", sheet);
  if (mode === "apply") query.set("fingerprint", plan.fingerprint);
  return (await upload(`/students/import?${query}`, file())).data;
}

async function preview() {
  const mine = ++turns;
  plan = null;
  element("import-plan").hidden = true;
  if (!file()) {
    adapt();
    return;
  }
  say(element("import-note"), t("import.reading"));
  let found;
  try {
    found = await send("preview");
  } catch (error) {
    if (mine === turns) say(element("import-note"), error.message, "bad");
    return;
  }
  if (mine !== turns) return;
  plan = found;
  showPlan();
}

const isEmpty = () => plan.counts.new + plan.counts.changed + plan.new_groups.length === 0
  && !(plan.withdraws_missing && plan.counts.missing);

function adapt() {
  const importable = plan && plan.counts.problems === 0 && !isEmpty();
  element("import-apply").disabled = !(importable || ((!plan || plan.counts.problems === 0) && photos().length > 0));
}

function showPlan() {
  const { counts } = plan;
  element("import-plan").hidden = false;
  const about = [
    plan.sheet && t("import.of_sheet", { sheet: plan.sheet }),
    plan.guessed_encoding && t("import.guessed", { encoding: plan.guessed_encoding }),
    plan.unknown_columns.length > 0 && t("import.unknown", { columns: list(plan.unknown_columns) }),
    plan.new_groups.length > 0 && t("import.new_groups", { groups: list(plan.new_groups.map(({ name }) => name)) }),
  ];
  element("import-about").textContent = about.filter(Boolean).join(" ");
  offerSheets();
  element("import-counts").replaceChildren(...Object.keys(COUNTS).map((what) => make(
    "div", {}, make("dt", { textContent: told(COUNTS, what) }), make("dd", { textContent: number(counts[what]) }),
  )));
  element("import-problems").hidden = counts.problems === 0;
  showRows(element("import-problem-rows"), plan.problems.slice(0, SHOWN).map((problem) => [
    problem.line === null ? "" : number(problem.line), problem.column ?? "", sentence(problem),
  ]));
  const changes = [
    ...plan.new.map((one) => [one, inWords(one, [t("import.is_new")])]),
    ...plan.changed.map((one) => [one, inWords(one, [])]),
  ];
  element("import-changes").hidden = changes.length === 0 || counts.problems > 0;
  showRows(element("import-change-rows"), changes.slice(0, SHOWN).map(([one, what]) => [
    number(one.line), one.roll_number, one.name, what,
  ]));
  const hidden = Math.max(0, (counts.problems || counts.new + counts.changed) - SHOWN);
  element("import-more").textContent = hidden ? t("import.more", { count: hidden, more: number(hidden) }) : "";
  element("import-absent").hidden = counts.missing === 0;
  const absent = { count: counts.missing, missing: number(counts.missing) };
  const toldOfAbsent = plan.withdraws_missing ? t("import.withdrawn", absent) : t("import.kept", absent);
  element("import-absent-count").textContent = toldOfAbsent;
  element("import-absent-names").replaceChildren(
    ...plan.missing.slice(0, SHOWN)
      .map(({ name, roll_number: roll }) => make("li", { textContent: `${name} (${roll})` })),
  );
  element("import-unused").hidden = true;
  const said = counts.problems
    ? [t("import.wrong", { count: counts.problems, problems: number(counts.problems) }), "bad"]
    : plan.outdated
      ? [t("import.outdated"), "bad"]
      : isEmpty() ? [t("import.nothing"), "good"] : [t("import.look"), ""];
  say(element("import-note"), ...said);
  adapt();
}

function offerSheets() {
  const sheets = plan.sheet ? [plan.sheet, ...plan.other_sheets] : [];
  if (sheets.length < 2) return;
  element("import-sheet").replaceChildren(...sheets.map((name) => make("option", { value: name, textContent: name })));
  element("import-sheet").value = plan.sheet;
  element("import-sheets").hidden = false;
}

// What is wrong, in the language of the page; the server's own sentence where there is none.
function sentence({ code, value, message }) {
  const key = PROBLEMS[code];
  return key ? t(key, { value }) : message;
}

function inWords(one, words) {
  const span = ({ group, from_day: from, until_day: until }) =>
    t(until ? "import.joins_until" : "import.joins", { group, from: day(from), until: until ? day(until) : "" });
  if (one.new_name) words.push(t("import.is_called", { name: one.new_name }));
  if (one.returns) words.push(t("import.returns"));
  words.push(...one.joins.map(span), ...(one.redated ?? []).map(span));
  words.push(...(one.leaves ?? []).map((group) => t("import.leaves", { group })));
  if (one.withdrawn_on) words.push(t("import.gone", { from: day(one.withdrawn_on) }));
  const { new_guardians: count } = one;
  if (count) words.push(t("import.guardians", { count, guardians: number(count) }));
  return words.join("; ");
}

element("import-file").addEventListener("change", () => {
  element("import-sheets").hidden = true;
  preview();
});
element("import-sheet").addEventListener("change", preview);
element("import-missing").addEventListener("change", preview);
element("import-photos").addEventListener("change", adapt);
element("import-close").addEventListener("click", () => element("import").close());
element("import").addEventListener("close", () => { turns += 1; });

element("import-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  element("import-apply").disabled = true;
  const note = element("import-note");
  try {
    let said = "";
    if (plan && !isEmpty()) {
      say(note, t("import.importing"));
      plan = await send("apply");
      if (!plan.applied) {
        showPlan();
        return;
      }
      said = t("import.done", { new: number(plan.counts.new), changed: number(plan.counts.changed) });
    }
    if (photos().length > 0) said = `${said} ${await enrol(photos())}`.trim();
    element("import-plan").hidden = element("import-unused").hidden;
    plan = null;
    element("import-file").value = element("import-photos").value = "";
    say(note, said, "good");
    note.focus();
    await done();
  } catch (error) {
    say(note, error.message, "bad");
    adapt();
  }
});

// One photograph after the other: what is enrolled stays enrolled when the page is closed in between.
async function enrol(pictures) {
  const mine = turns;
  const [progress, unused] = [element("import-progress"), []];
  let enrolled = 0;
  progress.hidden = false;
  for (const [at, picture] of pictures.entries()) {
    if (mine !== turns) break;
    progress.value = at / pictures.length;
    say(element("import-note"), t("import.enrolling", { at: number(at + 1), all: number(pictures.length) }));
    try {
      const { data } = await upload("/students/photographs", picture);
      if (data.enrolled) enrolled += 1;
      else unused.push([picture.name, data.had_face && !data.reason ? t("import.had_face") : data.reason]);
    } catch (error) {
      unused.push([picture.name, error.message]);
    }
  }
  progress.hidden = true;
  const box = element("import-unused");
  box.hidden = unused.length === 0;
  box.replaceChildren(...unused.map(([name, why]) => make("li", { textContent: `${name}: ${why}` })));
  return t("import.enrolled", { count: enrolled, enrolled: number(enrolled), unused: number(unused.length) });
}
