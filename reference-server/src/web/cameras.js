// The cameras that are kept: how each is doing, and what is done with it.
import { erase, get, post } from "./api.js";
import { askFor } from "./camera-form.js";
import { PROBLEMS, STATES, withoutAddress } from "./camera-words.js";
import * as kiosks from "./kiosks.js";
import { may } from "./roles.js";
import { dateTime, series, t, told } from "./text.js";
import { button, carryOut, confirmed, element, make, menu, say, showRows } from "./ui.js";

const POLL_EVERY = 2000;
const GATES = {
  off: "cameras.gate.off",
  observe: "cameras.gate.observe",
  require: "cameras.gate.require",
  ask: "cameras.gate.ask",
};

let timer = null;

export function enter() {
  say(element("kept-note"), "");
  timer = setInterval(load, POLL_EVERY);
  return Promise.all([load(), kiosks.enter()]);
}

export function leave() {
  kiosks.leave();
  clearInterval(timer);
  timer = null;
}

async function load() {
  let cameras;
  try {
    ({ cameras } = (await get("/cameras")).data);
  } catch (error) {
    if (timer !== null) say(element("kept-note"), error.message, "bad");
    return;
  }
  if (timer !== null) show(cameras);
}

function show(cameras) {
  element("kept-none").hidden = cameras.length > 0;
  element("kept-table").hidden = cameras.length === 0;
  const rows = element("kept");
  // What is being pressed, or is open, must not go away under the finger; what has the focus survives.
  if (rows.matches(":active") || rows.querySelector(":popover-open")) return;
  const focused = document.activeElement?.dataset?.kept;
  showRows(rows, cameras.map((camera) => [
    nameOf(camera), camera.camera_location ?? "", settingsOf(camera), stateOf(camera), actionsOf(camera),
  ]));
  if (focused !== undefined)
    [...rows.querySelectorAll("[data-kept]")].find((one) => one.dataset.kept === focused)?.focus();
}

// The name, with the address below where that says more.
function nameOf({ name, camera_url: url, only_at: server }) {
  const below = series([name === url ? "" : url, server ? t("cameras.at_server", { server }) : ""]);
  const named = make("span", {}, make("strong", {}, make("bdi", { textContent: name })));
  if (below) named.append(make("span", { className: "hint under", textContent: below }));
  return named;
}

function settingsOf({ gate, orientation, mirror }) {
  const turned = orientation ? t("cameras.turned", { degrees: orientation }) : "";
  return series([gate ? told(GATES, gate) : "", turned, mirror ? t("cameras.mirrored") : ""]);
}

// How it is doing, since when it is as it is kept, and what keeps it from work.
function stateOf(camera) {
  const { paused, problem, problem_code: code, status, changed_at: at, changed_by: by } = camera;
  const since = t(paused ? "cameras.paused_by" : "cameras.kept_by", { when: dateTime(at), name: by });
  const hint = make("span", { className: "hint under", textContent: since });
  const told_ = (text, kind = "") => make("span", {}, make("span", { className: kind, textContent: text }), hint);
  if (paused) return told_(t("cameras.paused"));
  if (problem) return told_(code === "no_room" ? t("cameras.no_room") : problem, "bad");
  if (!status) return told_(t("camera.state.connecting"));
  const state = told(STATES, status.state);
  const why = status.last_error ? `: ${withoutAddress(status.last_error)}` : "";
  if (status.state !== "running") return told_(`${state}${why}`, why ? "bad" : "");
  const rates = t("camera.rates", { captured: status.captured_per_second, analysed: status.analysed_per_second });
  const problems = (status.problems ?? []).map(({ code }) => told(PROBLEMS, code));
  return told_(series([state, rates, ...problems]), problems.length ? "bad" : "good");
}

function actionsOf(camera) {
  const actions = make("span", { className: "actions" });
  if (!may("operator")) return actions;
  const { name, paused, camera_id: id } = camera;
  const turn = button(
    t(paused ? "cameras.resume" : "cameras.pause"),
    t(paused ? "cameras.resume_of" : "cameras.pause_of", { name }),
    () => act(
      () => post(`/cameras/${id}/${paused ? "resume" : "pause"}`),
      t(paused ? "cameras.resumed_now" : "cameras.paused_now", { name }),
    ),
  );
  turn.dataset.kept = `turn ${id}`;
  const items = [button(t("cameras.remove"), t("cameras.remove_of", { name }), () => remove(camera), "danger")];
  if (!camera.laptop) items.unshift(button(t("cameras.edit"), t("cameras.edit_of", { name }), () => edit(camera)));
  const more = menu(t("list.more"), t("list.more_of", { name }), items);
  more.firstElementChild.dataset.kept = `more ${id}`;
  actions.append(turn, more);
  return actions;
}

const act = (change, done) => carryOut(change, done, load, "kept-note");

async function edit(camera) {
  const saved = await askFor(camera);
  if (saved) await act(async () => {}, t("cameras.saved", { name: saved }));
}

async function remove({ camera_id: id, name }) {
  const yes = await confirmed({
    title: t("cameras.remove_title"),
    what: t("cameras.remove_what", { name }),
    hint: t("cameras.remove_hint"),
    yes: t("cameras.remove"),
  });
  if (!yes) return;
  await act(() => erase(`/cameras/${id}`), t("cameras.removed", { name }));
  // The button that had the focus is gone.
  element("kept-note").focus();
}

element("kept-add").addEventListener("click", async () => {
  const saved = await askFor(null);
  if (saved) await act(async () => {}, t("cameras.added", { name: saved }));
});

