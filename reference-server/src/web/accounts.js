// The accounts: who may log in, as what, and with which password.
import { get, post, put } from "./api.js";
import { chip } from "./looks.js";
import { t } from "./text.js";
import { button, carryOut, element, make, say, showRows } from "./ui.js";

const ROLES = { viewer: "role.viewer", operator: "role.operator", admin: "role.admin" };

export const enter = () => {
  say(element("accounts-note"), "");
  return load();
};
export function leave() {}

const pathOf = (user) => `/auth/users/${encodeURIComponent(user.username)}`;

async function load() {
  let users;
  try {
    users = (await get("/auth/users")).data.users;
  } catch (error) {
    say(element("accounts-note"), error.message, "bad");
    return;
  }
  // What had the focus has it again after the table was made anew.
  const focused = document.activeElement?.dataset?.account;
  const rows = element("accounts-rows");
  showRows(rows, users.map((user) => {
    const { username: name, is_active: active } = user;
    const turn = button(
      t(active ? "accounts.disable" : "accounts.enable"),
      t(active ? "accounts.disable_of" : "accounts.enable_of", { name }),
      () =>
        act(
          () => put(pathOf(user), { is_active: !active }),
          t(active ? "accounts.disabled_now" : "accounts.enabled_now", { name }),
        ),
    );
    turn.dataset.account = `turn ${name}`;
    const renew = button(t("accounts.password"), t("accounts.password_of", { name }), () => askPassword(user));
    return [
      name,
      roleOf(user),
      chip(active ? "good" : "plain", t(active ? "accounts.active" : "accounts.disabled")),
      make("span", { className: "actions" }, renew, turn),
    ];
  }));
  if (focused !== undefined)
    [...rows.querySelectorAll("[data-account]")].find((one) => one.dataset.account === focused)?.focus();
}

function roleOf(user) {
  const options = Object.entries(ROLES).map(([value, key]) =>
    make("option", { value, textContent: t(key), selected: value === user.role }),
  );
  const choice = make("select", {}, ...options);
  choice.setAttribute("aria-label", t("accounts.role_of", { name: user.username }));
  choice.dataset.account = `role ${user.username}`;
  choice.addEventListener("change", () =>
    act(
      () => put(pathOf(user), { role: choice.value }),
      t("accounts.role_now", { name: user.username, role: t(ROLES[choice.value]) }),
    ),
  );
  return choice;
}

const act = (change, done) => carryOut(change, done, load, "accounts-note");

let whose = null;

function askPassword(user) {
  whose = user;
  element("password-form").reset();
  element("password-title").textContent = t("accounts.password_of", { name: user.username });
  say(element("password-note"), "");
  element("password-dialog").showModal();
}

element("password-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await put(pathOf(whose), { password: element("new-password").value });
  } catch (error) {
    say(element("password-note"), error.message, "bad");
    return;
  }
  element("password-dialog").close();
  say(element("accounts-note"), t("accounts.password_now", { name: whose.username }), "good");
});
element("password-cancel").addEventListener("click", () => element("password-dialog").close());

element("accounts-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const fields = Object.fromEntries(new FormData(form));
  if (await act(() => post("/auth/users", fields), t("accounts.made", { name: fields.username }))) form.reset();
});
