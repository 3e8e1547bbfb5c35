// The accounts.
import { button, get, post, put, row, say } from "./api.js";

const element = (id) => document.getElementById(id);

export const enter = () => {
  say(element("accounts-note"), "");
  load();
};
export function leave() {}

async function load() {
  let users;
  try {
    users = (await get("/auth/users")).data.users;
  } catch (error) {
    say(element("accounts-note"), error.message, "bad");
    return;
  }
  element("accounts-rows").replaceChildren(...users.map((user) => {
    const [text, label] = user.is_active ? ["Disable", `Disable ${user.username}`] : ["Enable", `Enable ${user.username}`];
    const turn = button(text, label, () => act(() => put(`/auth/users/${encodeURIComponent(user.username)}`, { is_active: !user.is_active })));
    return row([user.username, user.role, user.is_active ? "active" : "disabled", turn]);
  }));
}

async function act(change) {
  try {
    say(element("accounts-note"), (await change()).message, "good");
  } catch (error) {
    say(element("accounts-note"), error.message, "bad");
    return false;
  }
  await load();
  return true;
}

element("accounts-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (await act(() => post("/auth/users", Object.fromEntries(new FormData(form))))) form.reset();
});
