// The kiosks: tablets at gates, each with its state, and the code that pairs it.
import { erase, get, post, put } from "./api.js";
import { may } from "./roles.js";
import { dateTime, t, told } from "./text.js";
import { button, carryOut, confirmed, element, make, menu, say, showRows } from "./ui.js";

const POLL_EVERY = 5000;
const GATES = {
  off: "cameras.gate.off",
  observe: "cameras.gate.observe",
  require: "cameras.gate.require",
  ask: "cameras.gate.ask",
};
// A tablet that works is heard of every half a minute.
const LATE_AFTER = 90_000;

let timer = null;
// The kiosk whose code is shown.
let opened = null;

// The card is made once: it stands empty in the document.
function build() {
  if (element("kiosks").childElementCount > 0) return;
  const add = make("button", { type: "button", id: "kiosks-add", textContent: t("kiosks.add") });
  add.addEventListener("click", () => edit(null));
  const note = make("p", { id: "kiosks-note", className: "note", tabIndex: -1 });
  note.setAttribute("role", "status");
  const heads = ["kiosk.title", "live.place", "cameras.settings", "kiosks.tablet"].map((key) => {
    const head = make("th", { textContent: t(key) });
    head.scope = "col";
    return head;
  });
  const actions = make("th", {}, make("span", { className: "hidden", textContent: t("list.actions") }));
  actions.scope = "col";
  const rows = make("tbody", { id: "kiosks-rows" });
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads, actions)), rows);
  const scroll = make("div", { id: "kiosks-table", className: "scroll", tabIndex: 0, hidden: true }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", t("kiosks.title"));
  element("kiosks").append(
    make("h2", { id: "kiosks-title", textContent: t("kiosks.title") }),
    make("div", { className: "row" }, make("p", { className: "hint", textContent: t("kiosks.what") }), add),
    note,
    scroll,
    make("p", { id: "kiosks-none", className: "hint", textContent: t("kiosks.none"), hidden: true }),
  );
}

export function enter() {
  // In the language of now.
  element("kiosks").replaceChildren();
  build();
  element("kiosks-add").hidden = !may("admin");
  timer = setInterval(load, POLL_EVERY);
  return load();
}

export function leave() {
  clearInterval(timer);
  timer = null;
}

async function load() {
  let kiosks;
  try {
    ({ kiosks } = (await get("/kiosks")).data);
  } catch (error) {
    if (timer !== null) say(element("kiosks-note"), error.message, "bad");
    return;
  }
  if (timer === null) return;
  pairedMeanwhile(kiosks);
  element("kiosks-none").hidden = kiosks.length > 0;
  element("kiosks-table").hidden = kiosks.length === 0;
  const rows = element("kiosks-rows");
  // What is being pressed, or is open, must not go away under the finger; what has the focus survives.
  if (rows.matches(":active") || rows.querySelector(":popover-open")) return;
  const focused = document.activeElement?.dataset?.kiosk;
  showRows(rows, kiosks.map((kiosk) => [
    make("strong", { textContent: kiosk.name }), kiosk.location ?? "", settingsOf(kiosk), stateOf(kiosk),
    actionsOf(kiosk),
  ]));
  if (focused !== undefined)
    [...rows.querySelectorAll("[data-kiosk]")].find((one) => one.dataset.kiosk === focused)?.focus();
}

function settingsOf({ gate, has_pin: pin, tone, speech }) {
  const parts = [
    gate ? told(GATES, gate) : "",
    pin ? t("kiosks.with_pin") : "",
    tone ? t("kiosks.with_tone") : "",
    speech ? t("kiosks.with_speech") : "",
  ];
  return parts.filter(Boolean).join(", ");
}

function stateOf({ paired_at: paired, last_seen_at: seen, code_until: until }) {
  const late = seen && Date.now() - new Date(`${seen}Z`).getTime() > LATE_AFTER;
  const lines = [];
  if (paired && seen)
    lines.push(make("span", {
      className: late ? "bad" : "good", textContent: t("kiosks.seen", { when: dateTime(seen) }),
    }));
  if (until) lines.push(make("span", { textContent: t("kiosks.waits", { until: dateTime(until) }) }));
  if (lines.length === 0) lines.push(make("span", { className: "bad", textContent: t("kiosks.alone") }));
  return make("span", {}, ...lines.flatMap((line, at) => (at > 0 ? [make("br"), line] : [line])));
}

function actionsOf(kiosk) {
  const actions = make("span", { className: "actions" });
  if (!may("operator")) return actions;
  const { name, kiosk_id: id } = kiosk;
  const items = [button(t("kiosks.revoke"), t("kiosks.revoke_of", { name }), () => revoke(kiosk), "danger")];
  if (may("admin")) {
    items.unshift(button(t("kiosks.edit"), t("kiosks.edit_of", { name }), () => edit(kiosk)));
    items.push(button(t("kiosks.remove"), t("kiosks.remove_of", { name }), () => remove(kiosk), "danger"));
    const code = button(t("kiosks.code"), t("kiosks.code_of", { name }), () => another(kiosk));
    code.dataset.kiosk = `code ${id}`;
    actions.append(code);
  }
  const more = menu(t("list.more"), t("list.more_of", { name }), items);
  more.firstElementChild.dataset.kiosk = `more ${id}`;
  actions.append(more);
  return actions;
}

const act = (change, done) => carryOut(change, done, load, "kiosks-note");

// A dialog that is made for one use and gone afterwards.
function dialogOf(title, ...content) {
  const heading = make("h2", { id: "kiosk-dialog-title", textContent: title });
  const dialog = make("dialog", { id: "kiosk-dialog" });
  dialog.setAttribute("aria-labelledby", heading.id);
  dialog.append(heading, ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  return dialog;
}

function labelled(name, key, control, hint) {
  Object.assign(control, { id: `kiosk-${name}`, name });
  const parts = [make("label", { htmlFor: control.id, textContent: t(key) }), control];
  if (hint) {
    const below = make("p", { className: "hint", id: `${control.id}-hint`, textContent: t(hint) });
    control.setAttribute("aria-describedby", below.id);
    parts.push(below);
  }
  return make("div", {}, ...parts);
}

function ticked(name, key, checked) {
  const box = make("input", { type: "checkbox", id: `kiosk-${name}`, name, checked });
  return make("label", { className: "check", htmlFor: box.id }, box, ` ${t(key)}`);
}

// The server's own sentences that this form can bring about.
function whyNot({ message }) {
  if (message.startsWith("Error keeping the kiosk: invalid PIN")) return t("kiosks.pin_bad");
  return message === "A kiosk with this name is there already" ? t("kiosks.taken") : message;
}

function edit(kiosk) {
  const known = kiosk ?? {};
  // A kiosk has a screen that can ask.
  const gate = kiosk ? kiosk.gate ?? "" : "ask";
  const options = [["", "cameras.as_set"], ...Object.entries(GATES)].map(([value, key]) =>
    make("option", { value, textContent: t(key), selected: value === gate }));
  const input = (properties) => make("input", { autocomplete: "off", spellcheck: false, ...properties });
  const note = make("p", { className: "note" });
  note.setAttribute("role", "status");
  const cancel = make("button", { type: "button", className: "quiet", textContent: t("confirm.cancel") });
  const save = make("button", { textContent: t("confirm.save") });
  const form = make(
    "form", {},
    labelled("name", "cameras.name", input({ required: true, maxLength: 100, value: known.name ?? "" })),
    labelled(
      "location", "live.place",
      input({ maxLength: 255, value: known.location ?? "", placeholder: t("live.place_example") }),
      "kiosks.place_hint",
    ),
    labelled("gate", "cameras.gate", make("select", {}, ...options), "cameras.gate_hint"),
    labelled(
      "pin", "kiosks.pin",
      input({ type: "password", inputMode: "numeric", maxLength: 12, autocomplete: "new-password" }),
      known.has_pin ? "kiosks.pin_keeps" : "kiosks.pin_hint",
    ),
    ...(known.has_pin ? [ticked("no_pin", "kiosks.no_pin", false)] : []),
    ticked("tone", "kiosks.tone", known.tone ?? false),
    ticked("speech", "kiosks.speech", known.speech ?? false),
    note,
    make("div", { className: "actions" }, save, cancel),
  );
  const dialog = dialogOf(t(kiosk ? "kiosks.edit_title" : "kiosks.add_title"), form);
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const [name, location, pin] = ["name", "location", "pin"].map((field) => given.get(field).trim());
    const body = {
      name,
      ...(location ? { location } : {}),
      ...(given.get("gate") ? { gate: given.get("gate") } : {}),
      ...(pin ? { pin } : given.get("no_pin") ? { pin: "" } : {}),
      tone: given.get("tone") !== null,
      speech: given.get("speech") !== null,
    };
    save.disabled = true;
    try {
      const answer = kiosk ? await put(`/kiosks/${kiosk.kiosk_id}`, body) : await post("/kiosks", body);
      dialog.close();
      if (kiosk) await act(async () => {}, t("kiosks.saved", { name }));
      else showCode(answer.data);
    } catch (error) {
      say(note, whyNot(error), "bad");
      save.disabled = false;
    }
  });
  dialog.showModal();
}

async function another(kiosk) {
  try {
    showCode((await post(`/kiosks/${kiosk.kiosk_id}/code`)).data);
  } catch (error) {
    say(element("kiosks-note"), error.message, "bad");
  }
}

// The code is shown here alone, until it is used or the dialog is closed.
function showCode({ kiosk, code, address, picture }) {
  const { name, code_until: until } = kiosk;
  const close = make("button", { type: "button", textContent: t("kiosks.close") });
  const shown = make("p", { id: "kiosk-code", className: "pairing-code", textContent: code });
  const image = picture
    ? [make("img", {
      src: `data:image/svg+xml,${encodeURIComponent(picture)}`,
      alt: t("kiosks.code_picture", { address }),
      width: 240,
      height: 240,
    })]
    : [];
  const dialog = dialogOf(
    t("kiosks.code_title", { name }),
    make("p", { textContent: address ? t("kiosks.code_how", { address }) : t("kiosks.code_here") }),
    shown,
    ...image,
    make("p", { className: "hint", textContent: t("kiosks.code_until", { until: dateTime(until) }) }),
    make("div", { className: "actions" }, close),
  );
  opened = { dialog, id: kiosk.kiosk_id, paired_at: kiosk.paired_at };
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    opened = null;
    load();
  });
  dialog.showModal();
  load();
}

// Closes the code's dialog once a tablet has used it.
function pairedMeanwhile(kiosks) {
  const kiosk = opened && kiosks.find(({ kiosk_id: id }) => id === opened.id);
  if (!kiosk || kiosk.code_until !== null || kiosk.paired_at === opened.paired_at) return;
  opened.dialog.close();
  say(element("kiosks-note"), t("kiosks.paired_now", { name: kiosk.name }), "good");
}

async function revoke({ kiosk_id: id, name }) {
  const yes = await confirmed({
    title: t("kiosks.revoke_title"),
    what: t("kiosks.revoke_what", { name }),
    hint: t("kiosks.revoke_hint"),
    yes: t("kiosks.revoke"),
  });
  if (yes) await act(() => post(`/kiosks/${id}/revoke`), t("kiosks.revoked", { name }));
}

async function remove({ kiosk_id: id, name }) {
  const yes = await confirmed({
    title: t("kiosks.remove_title"),
    what: t("kiosks.remove_what", { name }),
    hint: t("kiosks.remove_hint"),
    yes: t("kiosks.remove"),
  });
  if (!yes) return;
  await act(() => erase(`/kiosks/${id}`), t("kiosks.removed", { name }));
  // The button that had the focus is gone.
  element("kiosks-note").focus();
}
