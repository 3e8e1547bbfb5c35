// The server's API as these pages use it.
const KEY = "faceattend.token";
let onLoggedOut = () => {};

export const loggedIn = () => sessionStorage.getItem(KEY) !== null;
export const whenLoggedOut = (callback) => { onLoggedOut = callback; };

export function logOut() {
  // The server ends the login; the page does not wait for it.
  if (loggedIn()) post("/auth/logout").catch(() => {});
  forget();
}

function forget() {
  sessionStorage.removeItem(KEY);
  onLoggedOut();
}

export async function logIn(username, password) {
  const answer = await send("POST", "/auth/login", { username, password });
  sessionStorage.setItem(KEY, answer.access_token);
}

export const get = (path) => send("GET", path);
export const post = (path, body = {}) => send("POST", path, body);
export const put = (path, body) => send("PUT", path, body);
export const erase = (path) => send("DELETE", path);

// The bytes of an answer as they come.
export async function stream(path, signal) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  const response = await fetch(`/api/v1${path}`, { headers, signal });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.body.getReader();
}

// Lets the browser keep what the server answers as a file.
export async function download(path, body) {
  const response = await request("POST", path, body);
  if (!response.ok) throw await told(response);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = /filename=([\w.]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "export";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function request(method, path, body) {
  const headers = {};
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The server cannot be reached.");
  }
}

async function told(response) {
  const answer = await response.json().catch(() => ({}));
  if (response.status === 401 && loggedIn()) forget();
  const text = Array.isArray(answer.detail) ? answer.detail.map((issue) => issue.msg).join(", ") : answer.detail;
  const error = new Error(text || `The server answered ${response.status}.`);
  error.status = response.status;
  return error;
}

async function send(method, path, body) {
  const response = await request(method, path, body);
  if (!response.ok) throw await told(response);
  return response.json().catch(() => ({}));
}

// Times come as naive UTC.
export const localTime = (naive) => new Date(`${naive}Z`).toLocaleString();

export function say(element, text, kind = "") {
  element.textContent = text;
  element.className = `note ${kind}`;
}

// A row of a table: texts and elements as they come.
export function row(cells) {
  const tr = document.createElement("tr");
  tr.append(...cells.map((cell) => {
    const td = document.createElement("td");
    td.append(cell ?? "");
    return td;
  }));
  return tr;
}

export function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}
