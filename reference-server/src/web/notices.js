// Notices to people and systems: over which channels, by which rules, and what has become of each.
import { erase, get, post, put } from "./api.js";
import { timeOf } from "./site-time.js";
import { LANGUAGES, dateTime, number, series, t, told } from "./text.js";
import { button, carryOut, confirmed, element, make, menu, say, showRows } from "./ui.js";

const EVENTS = {
  absent: "notices.absent",
  late: "notices.late",
  marked: "notices.marked",
  left: "notices.left",
  left_early: "notices.left_early",
  spoof_suspected: "notices.spoof_suspected",
  camera_down: "notices.camera_down",
};
const KINDS = { webhook: "notices.webhook", email: "notices.email" };
const SHOWN = 100;

let channels = [];
let rules = [];
let groups = [];

export async function enter() {
  say(element("notices-note"), "");
  await load();
}
export function leave() {}

async function load() {
  try {
    const [ofChannels, ofRules] = await Promise.all([get("/notices/channels"), get("/notices/rules")]);
    channels = ofChannels.data.channels;
    rules = ofRules.data.rules;
    groups = await allGroups();
  } catch (error) {
    say(element("notices-note"), error.message, "bad");
    return;
  }
  showChannels();
  showRules();
  await showOutbox();
}

// A site without groups has rules for everybody.
async function allGroups() {
  try {
    const { data } = await get("/groups");
    return data?.groups ?? [];
  } catch {
    return [];
  }
}

const groupName = (id) => groups.find((group) => group.group_id === id)?.name ?? number(id);
const channelName = (id) => channels.find((channel) => channel.channel_id === id)?.name ?? t("notices.gone");
const state = (paused) => t(paused ? "notices.is_paused" : "notices.is_on");
const act = (change, done) => carryOut(change, done, load, "notices-note");

async function take(name, hint, path) {
  const sure = await confirmed({ title: t("notices.remove_title"), what: name, hint, yes: t("notices.remove") });
  if (sure) await act(() => erase(path), t("notices.removed", { name }));
}

function showChannels() {
  showRows(element("notices-channels"), channels.map((channel) => {
    const { channel_id: id, name, kind } = channel;
    const test = button(t("notices.test"), t("notices.test_of", { name }), () => tryOut(channel), "");
    const rest = [
      button(t("notices.change"), t("notices.change_of", { name }), () => editChannel(channel)),
      button(t("notices.remove"), t("notices.remove_of", { name }), () =>
        take(name, t("notices.remove_channel"), `/notices/channels/${id}`), "quiet danger"),
    ];
    return [
      name, told(KINDS, kind), channel.url ?? channel.host, channel.problem ?? state(channel.paused),
      make("span", { className: "actions" }, test, menu(t("list.more"), t("list.more_of", { name }), rest)),
    ];
  }));
}

async function tryOut({ channel_id: id, name }) {
  const note = element("notices-note");
  say(note, t("notices.testing", { name }));
  try {
    const { delivered, answer } = (await post(`/notices/channels/${id}/test`, {})).data;
    say(note, t(delivered ? "notices.tested" : "notices.not_tested", { name, answer }), delivered ? "good" : "bad");
  } catch (error) {
    say(note, error.message, "bad");
  }
}

// Whom a rule tells, without the addresses: a page may be looked at over a shoulder.
function recipients({ addresses, guardians }) {
  const parts = [];
  if (guardians) parts.push(t("notices.to_guardians"));
  if (addresses.length) parts.push(t("notices.to_addresses", { count: addresses.length }));
  return series(parts);
}

function eventOf(rule) {
  const what = told(EVENTS, rule.event);
  if (rule.at) return t("notices.at_time", { event: what, time: timeOf(rule.at) });
  return rule.after_minutes ? t("notices.after", { event: what, minutes: number(rule.after_minutes) }) : what;
}

function showRules() {
  showRows(element("notices-rules"), rules.map((rule) => {
    const { rule_id: id, name } = rule;
    const rest = [
      button(t("notices.remove"), t("notices.remove_of", { name }), () =>
        take(name, t("notices.remove_rule"), `/notices/rules/${id}`), "quiet danger"),
    ];
    const change = button(t("notices.change"), t("notices.change_of", { name }), () => editRule(rule), "");
    return [
      name, eventOf(rule), rule.groups ? series(rule.groups.map(groupName)) : t("notices.everybody"),
      series(rule.channels.map(channelName)), recipients(rule), state(rule.paused),
      make("span", { className: "actions" }, change, menu(t("list.more"), t("list.more_of", { name }), rest)),
    ];
  }));
}

async function showOutbox() {
  const chosen = element("notices-state").value;
  try {
    const [counts, listed] = await Promise.all([
      get("/notices/state"), get(`/notices?state=${chosen}&limit=${SHOWN}`),
    ]);
    const { waiting, dead, sent } = counts.data;
    element("notices-counts").textContent =
      t("notices.counts", { waiting: number(waiting), dead: number(dead), sent: number(sent) });
    showRows(element("notices-rows"), listed.items.map(rowOf));
  } catch (error) {
    say(element("notices-note"), error.message, "bad");
  }
}

function rowOf(notice) {
  const { letter_id: letter, event, tries } = notice;
  const who = notice.student_name ?? notice.camera ?? "";
  const resend = notice.state === "dead"
    ? button(t("notices.resend"), t("notices.resend_of", { name: who }), () =>
      act(() => post(`/notices/${encodeURIComponent(letter)}/resend`, {}), t("notices.resent", { name: who })), "")
    : "";
  return [
    dateTime(notice.happened_at), told(EVENTS, event), who, channelName(notice.channel_id), number(tries),
    notice.last_error ?? "", resend,
  ];
}

element("notices-state").addEventListener("change", showOutbox);

// Channels.
let edited = null;

function editChannel(channel) {
  edited = channel;
  const { kind } = channel;
  const mail = kind === "email";
  element("channel-form").reset();
  element("channel-title").textContent =
    channel.channel_id
      ? t("notices.change_of", { name: channel.name })
      : t(mail ? "notices.add_email" : "notices.add_webhook");
  element("channel-webhook").hidden = mail;
  element("channel-email").hidden = !mail;
  element("channel-url").required = !mail;
  for (const field of ["host", "from"]) element(`channel-${field}`).required = mail;
  element("channel-propose").hidden = mail;
  element("channel-secret-label").textContent = t(mail ? "notices.password" : "notices.secret");
  element("channel-secret-hint").textContent =
    t(channel.has_secret ? "notices.secret_kept" : mail ? "notices.password_hint" : "notices.secret_hint");
  element("channel-name").value = channel.name ?? "";
  element("channel-url").value = channel.url ?? "";
  element("channel-host").value = channel.host ?? "";
  element("channel-port").value = channel.port ?? "";
  element("channel-security").value = channel.security ?? "start_tls";
  element("channel-user").value = channel.user ?? "";
  element("channel-from").value = channel.from ?? "";
  element("channel-window").value = channel.window_minutes ?? 5;
  element("channel-paused").checked = channel.paused ?? false;
  element("channel-secret").type = "password";
  say(element("channel-note"), "");
  element("channel-dialog").showModal();
}

element("notices-add-webhook").addEventListener("click", () => editChannel({ kind: "webhook" }));
element("notices-add-email").addEventListener("click", () => editChannel({ kind: "email" }));
element("channel-cancel").addEventListener("click", () => element("channel-dialog").close());
// Shown, because it has to be copied to the receiver: nobody can read it here any more once it is kept.
element("channel-propose").addEventListener("click", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  element("channel-secret").type = "text";
  element("channel-secret").value = `whsec_${btoa(String.fromCharCode(...bytes))}`;
  element("channel-secret").select();
});

const numberIn = (id) => (element(id).value === "" ? null : Number(element(id).value));

element("channel-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { kind, channel_id: id } = edited;
  const name = element("channel-name").value;
  const [secret, paused] = [element("channel-secret").value || null, element("channel-paused").checked];
  const body = { name, kind, secret, paused };
  if (kind === "webhook") {
    body.url = element("channel-url").value;
  } else {
    Object.assign(body, {
      host: element("channel-host").value, port: numberIn("channel-port"), security: element("channel-security").value,
      user: element("channel-user").value, from: element("channel-from").value,
      window_minutes: numberIn("channel-window"),
    });
  }
  await keep("channel", () => (id ? put(`/notices/channels/${id}`, body) : post("/notices/channels", body)), name);
});

async function keep(what, change, name) {
  try {
    await change();
  } catch (error) {
    say(element(`${what}-note`), error.message, "bad");
    return;
  }
  element(`${what}-dialog`).close();
  await load();
  say(element("notices-note"), t("notices.kept", { name }), "good");
}

// Rules.
let rule = null;

const box = (name, value, text, checked) => {
  const tick = make("input", { type: "checkbox", name, value, checked });
  return make("label", { className: "check" }, tick, " ", make("bdi", { textContent: text }));
};
const ticked = (name) =>
  [...document.querySelectorAll(`#rule-form input[name="${name}"]:checked`)].map(({ value }) => Number(value));

function adaptRule() {
  const event = element("rule-event").value;
  element("rule-at-part").hidden = event !== "absent";
  element("rule-at").required = event === "absent";
  element("rule-minutes-part").hidden = event !== "camera_down";
  element("rule-minutes").required = event === "camera_down";
  element("rule-guardians-part").hidden = event === "camera_down";
  element("rule-groups-part").hidden = event === "camera_down" || groups.length === 0;
}

function editRule(of) {
  rule = of;
  element("rule-form").reset();
  element("rule-title").textContent = of.rule_id ? t("notices.change_of", { name: of.name }) : t("notices.add_rule");
  element("rule-event").replaceChildren(
    ...Object.entries(EVENTS).map(([value, key]) => make("option", { value, textContent: t(key) })));
  element("rule-language").replaceChildren(
    ...Object.entries(LANGUAGES).map(([value, textContent]) => make("option", { value, textContent, lang: value })));
  element("rule-groups").replaceChildren(...groups.map((group) => {
    const { group_id: id, name } = group;
    return box("group", id, name, of.groups?.includes(id) ?? false);
  }));
  element("rule-channels").replaceChildren(
    ...channels.map(({ channel_id: id, name }) =>
      box("channel", id, name, of.channels?.includes(id) ?? channels.length === 1)));
  element("rule-name").value = of.name ?? "";
  element("rule-event").value = of.event ?? "absent";
  element("rule-at").value = of.at ?? "09:00";
  element("rule-minutes").value = of.after_minutes ?? 5;
  element("rule-addresses").value = (of.addresses ?? []).join(", ");
  element("rule-guardians").checked = of.guardians ?? false;
  element("rule-language").value = of.language ?? document.documentElement.lang;
  element("rule-paused").checked = of.paused ?? false;
  adaptRule();
  say(element("rule-note"), channels.length ? "" : t("notices.no_channel"), "bad");
  element("rule-dialog").showModal();
}

element("rule-event").addEventListener("change", adaptRule);
element("notices-add-rule").addEventListener("click", () => editRule({}));
element("rule-cancel").addEventListener("click", () => element("rule-dialog").close());
element("rule-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = element("rule-name").value;
  const what = element("rule-event").value;
  const chosen = ticked("group");
  const body = {
    name,
    event: what,
    groups: what !== "camera_down" && chosen.length ? chosen : null,
    channels: ticked("channel"),
    addresses: element("rule-addresses").value.split(/[\s,;]+/).filter(Boolean),
    guardians: what !== "camera_down" && element("rule-guardians").checked,
    language: element("rule-language").value,
    at: what === "absent" ? element("rule-at").value : null,
    after_minutes: what === "camera_down" ? numberIn("rule-minutes") : null,
    paused: element("rule-paused").checked,
  };
  const { rule_id: id } = rule;
  await keep("rule", () => (id ? put(`/notices/rules/${id}`, body) : post("/notices/rules", body)), name);
});
