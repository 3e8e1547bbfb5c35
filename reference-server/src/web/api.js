// The server's API as these pages use it.
const KEY = "faceattend.token";
let onLoggedOut = () => {};

export const loggedIn = () => sessionStorage.getItem(KEY) !== null;
export const whenLoggedOut = (callback) => { onLoggedOut = callback; };

export function logOut() {
  sessionStorage.removeItem(KEY);
  onLoggedOut();
}

export async function logIn(username, password) {
  const answer = await send("POST", "/auth/login", { username, password });
  sessionStorage.setItem(KEY, answer.access_token);
}

export const get = (path) => send("GET", path);
export const post = (path, body = {}) => send("POST", path, body);

// The bytes of an answer as they come.
export async function stream(path, signal) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  const response = await fetch(`/api/v1${path}`, { headers, signal });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.body.getReader();
}

async function send(method, path, body) {
  const headers = {};
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && token) logOut();
  const told = Array.isArray(answer.detail) ? answer.detail.map((issue) => issue.msg).join(", ") : answer.detail;
  const error = new Error(told || `The server answered ${response.status}.`);
  error.status = response.status;
  throw error;
}

// Times come as naive UTC.
export const localTime = (naive) => new Date(`${naive}Z`).toLocaleString();

export function say(element, text, kind = "") {
  element.textContent = text;
  element.className = `note ${kind}`;
}
