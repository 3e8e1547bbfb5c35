// The server's API as these pages use it. The tokens stay in this tab: never in an address, which logs would keep.
import { number, series, t, told } from "./text.js";

// Where the server is: these pages lie in its folder `ui`, under whatever path a proxy publishes it.
export const SERVER = new URL("../", import.meta.url);

const KEY = "faceattend.token";
const RENEWAL = "faceattend.renewal";
let onLoggedOut = () => {};
let renewing = null;

export const token = () => sessionStorage.getItem(KEY);
export const loggedIn = () => token() !== null;
export const whenLoggedOut = (callback) => { onLoggedOut = callback; };

// The server's own sentences that a person may come to read; its other answers are shown as they are.
const SENTENCES = {
  "Incorrect username or password": "error.credentials",
  "Not authenticated": "error.logged_out",
  "Could not validate credentials": "error.logged_out",
  "Not enough permissions": "error.forbidden",
  "Student with this roll number already exists": "error.roll_taken",
  "Student not found": "error.no_student",
  "Group not found": "error.no_group",
  "Group with this name already exists": "error.group_taken",
  "The name of the photograph is nobody's roll number": "import.of_nobody",
  "The faces of these students are not alike: an administrator must merge them": "error.merge_unlike",
  "Attendance record not found": "error.no_record",
  "Second look not found": "error.no_sighting",
  "User with this name already exists": "error.user_taken",
  "User not found": "error.no_user",
  "The last active admin must stay one": "error.last_admin",
  "Completed liveness detection session not found": "error.session_used",
  "Session not found": "error.session_over",
  "Session expired": "reason.expired",
  "Invalid image data": "error.picture",
  "Previews are turned off": "error.no_previews",
  "Camera not found": "error.no_camera",
  "Request body too large": "error.too_large",
  'This server asks in a random order: send "challenge": "random"': "error.order",
};
const STATUSES = { 403: "error.forbidden", 422: "error.invalid", 502: "error.no_camera", 503: "error.busy" };

export function logOut() {
  // The server ends the login; the page does not wait for it.
  if (loggedIn()) request("POST", "/auth/logout", {}).then((answer) => answer.text()).catch(() => {});
  forget();
}

// `why` is what the page of the login says: a person who did not log out wonders why it is there.
function forget(why = "") {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(RENEWAL);
  onLoggedOut(why);
}

function keep(answer) {
  sessionStorage.setItem(KEY, answer.access_token);
  if (answer.refresh_token) sessionStorage.setItem(RENEWAL, answer.refresh_token);
}

export async function logIn(username, password) {
  keep(await send("POST", "/auth/login", { username, password }));
}

export const get = (path) => send("GET", path);
export const post = (path, body = {}) => send("POST", path, body);
export const put = (path, body) => send("PUT", path, body);
export const erase = (path) => send("DELETE", path);

// Sends a file as forms do, so that it keeps its name.
export function upload(path, file) {
  const form = new FormData();
  form.append("file", file, file.name);
  return send("POST", path, form);
}

// The bytes of an answer as they come.
export async function stream(path, signal) {
  const response = await request("GET", path, undefined, signal);
  if (!response.ok) throw await failure(response);
  return response.body.getReader();
}

// Lets the browser keep what the server answers as a file: by a link to bytes that are here already, so that the token
// stands in no address.
export async function download(method, path, body, name) {
  const response = await request(method, path, body);
  if (!response.ok) throw await failure(response);
  const given = /filename=([\w.]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return saveAs(await response.blob(), given ?? name);
}

export function saveAs(bytes, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return name;
}

// Asks, and once more with a fresh token when the old one has run out: a page stays open longer than a token is good.
async function request(method, path, body, signal) {
  const used = token();
  const response = await ask(method, path, body, signal);
  if (response.status !== 401 || !used || path === "/auth/login") return response;
  if (!(await renew(used))) return response;
  await response.text();
  return ask(method, path, body, signal);
}

async function ask(method, path, body, signal) {
  const headers = {};
  if (token()) headers.Authorization = `Bearer ${token()}`;
  const form = body instanceof FormData;
  // A form says its own kind, with the mark between its parts.
  if (body && !form) headers["Content-Type"] = "application/json";
  try {
    const address = new URL(`api/v1${path}`, SERVER);
    return await fetch(address, { method, headers, body: form ? body : body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(t("error.unreachable"));
  }
}

// Whether there is another token than `used` now. Renewed once for all who wait: the old renewal is good only once.
export async function renew(used) {
  if (token() !== used) return loggedIn();
  renewing ??= (async () => {
    const refresh = sessionStorage.getItem(RENEWAL);
    if (!refresh) return false;
    try {
      const response = await ask("POST", "/auth/refresh", { refresh_token: refresh });
      if (response.ok) keep(await response.json());
      else await response.text();
      return response.ok;
    } catch {
      return false;
    } finally {
      renewing = null;
    }
  })();
  return renewing;
}

async function failure(response) {
  const answer = await response.json().catch(() => ({}));
  const { detail } = answer;
  const { status } = response;
  if (status === 401 && loggedIn()) forget(t("login.ended"));
  const error = new Error(sentence(status, detail, response.headers.get("Retry-After")));
  error.status = status;
  return error;
}

function sentence(status, detail, wait) {
  if (status === 429) return t("error.too_many", { count: Number(wait ?? 60) });
  if (Array.isArray(detail))
    return t("error.invalid_fields", { fields: series(detail.map((issue) => issue.loc?.at(-1))) });
  if (typeof detail === "string" && detail.startsWith("Password: ")) return t("error.password");
  const known = told(SENTENCES, detail, null);
  if (known) return known;
  if (status >= 400 && status < 500 && typeof detail === "string" && detail && status !== 403) return detail;
  return told(STATUSES, String(status), t("error.server", { status: number(status) }));
}

async function send(method, path, body) {
  const response = await request(method, path, body);
  if (!response.ok) throw await failure(response);
  return response.json().catch(() => ({}));
}
