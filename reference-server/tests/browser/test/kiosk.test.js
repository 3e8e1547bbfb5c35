// A tablet at the gate: paired by a code, greets whom the server has marked, survives the network, the server and the
// night, and forgets everybody.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { barriers, go, launch, logIn, open, picture } from "../src/browser.js";
import { peopleIn } from "../src/people.js";
import { Camera } from "../src/person.js";
import { follow } from "../src/registration.js";
import { startServer } from "../src/server.js";

// A debug build on a busy machine takes its time over a picture.
const SOON = 90_000;
const BASE = "/school";
const PORTRAIT = { width: 800, height: 1280 };
const LANDSCAPE = { width: 1280, height: 800 };
const OFFLINE = "No connection to the server. Nobody is marked at the moment. It goes on by itself.";
const PIN = "493027";
// A day that nobody may leave before its last minute.
const PERIODS = "day=00:00//23:59";

let camera;
let browser;
let server;
let people;
let admin;
let tablet;

before(async () => {
  server = await startServer({ more: ["--base-path", BASE, "--gate-liveness", "off", "--periods", PERIODS] });
  if (!server.folder) return;
  camera = new Camera();
  browser = await launch(camera.path);
  people = await peopleIn(browser);
  admin = await open(browser, `${server.url}${BASE}`);
  await logIn(admin);
});

after(async () => {
  await browser?.close();
  camera?.close();
  await server?.stop();
});

async function openTablet(options = {}, hash = "") {
  const context = await browser.newContext({
    viewport: PORTRAIT, locale: "en-GB", colorScheme: "light", permissions: ["camera"], ...options,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  await page.goto(`${server.url}${BASE}/ui/kiosk${hash}`);
  return page;
}

// The API as the admin's page asks it.
const api = (method, path, body) => admin.evaluate(async ([asked, where, sent]) => {
  const token = sessionStorage.getItem("faceattend.token");
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetch(new URL(`../api/v1${where}`, location.href), {
    method: asked, headers, body: sent && JSON.stringify(sent),
  });
  return answer.json();
}, [method, path, body]);

const says = (page, id, text) => page.waitForFunction(
  ([where, what]) => document.getElementById(where).textContent.includes(what), [id, text], { timeout: SOON },
);
const shows = (page, id) => page.waitForSelector(`#${id}:not([hidden])`, { timeout: SOON });
const gone = (page, id) => page.waitForSelector(`#${id}`, { state: "hidden", timeout: SOON });
const rows = async () => (await api("GET", "/attendance/")).items;

test("a code from the page Cameras pairs a tablet, once", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await go(admin, "cameras");
  assert.match(await admin.textContent("#kiosks-none"), /Add one, open the page Kiosk/);
  await admin.click("#kiosks-add");
  await admin.fill("#kiosk-name", "Tablet 1");
  await admin.fill("#kiosk-location", "Main gate");
  assert.equal(await admin.inputValue("#kiosk-gate"), "ask", "a kiosk has a screen that can ask");
  await admin.selectOption("#kiosk-gate", "");
  await admin.fill("#kiosk-pin", "123456");
  await admin.getByRole("button", { name: "Save" }).click();
  await admin.locator("#kiosk-dialog .note.bad", { hasText: "6 to 12 digits" }).waitFor();
  await admin.fill("#kiosk-pin", PIN);
  assert.deepEqual(await barriers(admin, "kiosk form"), []);
  await picture(admin, "desktop-light-kiosk-form");
  await admin.getByRole("button", { name: "Save" }).click();
  const code = await admin.locator("#kiosk-code").textContent();
  assert.match(code, /^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
  assert.deepEqual(await barriers(admin, "kiosk code"), []);
  await picture(admin, "desktop-light-kiosk-code");

  tablet = await openTablet();
  await shows(tablet, "pairing");
  assert.deepEqual(await barriers(tablet, "pairing"), []);
  await picture(tablet, "kiosk-portrait-light-pairing");
  await tablet.fill("#code", "ABCD EFGH");
  await tablet.click("#pair-submit");
  await says(tablet, "pair-note", "This code is not good");
  await tablet.fill("#code", code.toLowerCase());
  await tablet.click("#pair-submit");
  // The camera was allowed before: it starts by itself.
  await shows(tablet, "gate");
  await says(tablet, "place", "Main gate");
  await says(tablet, "advice", "Come closer");
  assert.match(await tablet.textContent("#clock"), /^\d\d:\d\d$/);
  // The page of the admin sees it, and closes the code.
  await says(admin, "kiosks-note", "The tablet of Tablet 1 is paired.");
  assert.equal(await admin.locator("#kiosk-dialog").count(), 0);
  await picture(admin, "desktop-light-cameras-kiosk");
  assert.deepEqual(await barriers(admin, "cameras"), []);

  // The same code in a picture that somebody scans later.
  const late = await openTablet({}, `#${code}`);
  await says(late, "pair-note", "This code is not good");
  assert.equal(new URL(late.url()).hash, "", "the code leaves the address at once");
  await late.context().close();
  assert.deepEqual([tablet.problems, late.problems], [[], []]);
});

test("it greets whom the server has marked, with name, time and status, and forgets", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await go(admin, "register");
  camera.sit(people.hopper);
  await admin.fill("#student-name", "Grace Hopper");
  await admin.fill("#student-roll", "R-1906");
  await admin.click("#register-start");
  await follow(camera, admin, "Student embeddings captured and saved successfully");
  camera.leave();
  await go(admin, "cameras");
  // The tablet has the same camera: it has greeted her already, perhaps.
  for (const { id } of await rows()) await api("DELETE", `/attendance/${id}`);
  await tablet.waitForTimeout(1000);
  await gone(tablet, "greeting");

  camera.sit(people.hopperMoved);
  await says(tablet, "greeting-name", "Grace Hopper");
  const marks = await rows();
  assert.equal(marks.length, 1, "what is greeted is written");
  assert.equal(marks[0].camera_location, "Main gate");
  const status = await tablet.textContent("#greeting-status");
  assert.match(status, /^(Present|Marked already), \d\d:\d\d$/);
  assert.equal(status.slice(-5), marks[0].timestamp.slice(11, 16), "the site's own time");
  // She goes, and nothing of her stays.
  camera.leave();
  await gone(tablet, "greeting");
  await tablet.waitForTimeout(1500);
  const left = await tablet.evaluate(async () => {
    const kept = [];
    for (const name of await caches.keys())
      for (const request of await (await caches.open(name)).keys()) kept.push(new URL(request.url).pathname);
    return {
      page: document.documentElement.outerHTML,
      storage: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
      kept,
      cookies: document.cookie,
    };
  });
  assert.ok(!left.page.includes("Hopper") && !left.storage.includes("Hopper"));
  assert.equal(left.cookies, "", "no script reads the token");
  assert.ok(left.kept.length > 0 && left.kept.every((path) => path.startsWith(`${BASE}/ui/`)), `${left.kept}`);
  assert.deepEqual(tablet.problems, []);
});

test("a greeting can be read in every form of a tablet, by day and by night", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  for (const [look, options] of Object.entries({
    "portrait-light": { viewport: PORTRAIT, colorScheme: "light" },
    "landscape-light": { viewport: LANDSCAPE, colorScheme: "light" },
    "portrait-dark": { viewport: PORTRAIT, colorScheme: "dark" },
    "landscape-dark": { viewport: LANDSCAPE, colorScheme: "dark" },
  })) {
    await tablet.setViewportSize(options.viewport);
    await tablet.emulateMedia({ colorScheme: options.colorScheme });
    await tablet.evaluate(() => {
      // The moment of a greeting, held for the picture.
      document.getElementById("greeting").hidden = false;
      document.getElementById("greeting-name").textContent = "Eileen Collins";
      document.getElementById("greeting-status").textContent = "Present, 08:15";
      document.getElementById("greeting-sign").textContent = "\u2713";
    });
    assert.deepEqual(await barriers(tablet, `greeting ${look}`), []);
    await picture(tablet, `kiosk-${look}-greeting`);
  }
  await tablet.setViewportSize(PORTRAIT);
  await tablet.emulateMedia({ colorScheme: "light" });
  // As it was.
  await tablet.evaluate(() => {
    document.getElementById("greeting").hidden = true;
    for (const part of ["name", "status", "sign"]) document.getElementById(`greeting-${part}`).textContent = "";
  });
});

test("Not me takes the mark back and asks a person", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  for (const { id } of await rows()) await api("DELETE", `/attendance/${id}`);
  await tablet.waitForTimeout(16_000);
  camera.sit(people.hopperAgain);
  await says(tablet, "greeting-status", "Present");
  await tablet.click("#not-me");
  await says(tablet, "greeting-name", "Taken back. Please tell the supervisor");
  await picture(tablet, "kiosk-portrait-light-not-me");
  assert.deepEqual(await barriers(tablet, "taken back"), []);
  assert.deepEqual(await rows(), []);
  const looks = (await api("GET", "/attendance/second-looks")).items;
  assert.deepEqual(looks.map((look) => look.reasons), [["not_me"]]);
  // She stays where she is, and is not marked again.
  await tablet.waitForTimeout(4000);
  assert.deepEqual(await rows(), []);
  camera.leave();
  await go(admin, "second-look");
  await admin.locator("#second-look-rows", { hasText: "said that they are somebody else" }).waitFor();
  await go(admin, "log");
  await admin.locator("#log-rows tr", { hasText: "kiosk Tablet 1" }).filter({ hasText: "Not me" }).first().waitFor();
  await go(admin, "cameras");
});

test("a supervisor's PIN marks by roll number, and the form forgets", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await shows(tablet, "fallback-open");
  await tablet.click("#fallback-open");
  await tablet.fill("#fallback-roll", "R-1906");
  await tablet.fill("#fallback-pin", "000000");
  await tablet.click("#fallback-submit");
  await says(tablet, "fallback-note", "Wrong PIN.");
  assert.deepEqual(await barriers(tablet, "fallback"), []);
  await picture(tablet, "kiosk-portrait-light-fallback");
  await tablet.fill("#fallback-pin", PIN);
  await tablet.keyboard.press("Enter");
  await says(tablet, "greeting-name", "Grace Hopper");
  assert.ok(await tablet.isHidden("#fallback"));
  assert.equal(await tablet.inputValue("#fallback-roll"), "");
  const [mark] = await rows();
  assert.equal(mark.confidence_score, null);
});

test("whoever says to be leaving is checked out, and has left early before the time", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await gone(tablet, "greeting");
  await tablet.click("#leave");
  assert.equal(await tablet.getAttribute("#leave", "aria-pressed"), "true");
  await says(tablet, "advice", "You are leaving");
  await picture(tablet, "kiosk-portrait-light-leaving");
  assert.deepEqual(await barriers(tablet, "leaving"), []);
  camera.sit(people.hopperAgain);
  await says(tablet, "greeting-status", "Left early");
  await picture(tablet, "kiosk-portrait-light-left-early");
  assert.equal(await tablet.getAttribute("#leave", "aria-pressed"), "false", "the next one may be arriving");
  camera.leave();
});

test("minutes without the network are survived, and nothing is promised meanwhile", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  for (const { id } of await rows()) await api("DELETE", `/attendance/${id}`);
  await tablet.waitForTimeout(16_000);
  await tablet.context().setOffline(true);
  camera.sit(people.hopperMoved);
  await says(tablet, "trouble", OFFLINE);
  await picture(tablet, "kiosk-portrait-light-offline");
  assert.deepEqual(await barriers(tablet, "offline"), []);
  await tablet.waitForTimeout(5000);
  assert.ok(await tablet.isHidden("#greeting"), "no greeting without the server's word");
  // Started anew without the network, the page is there, and says so.
  await tablet.reload();
  await says(tablet, "away-why", OFFLINE);
  await tablet.context().setOffline(false);
  await says(tablet, "greeting-name", "Grace Hopper");
  assert.ok(await tablet.isHidden("#trouble"));
  assert.equal((await rows()).length, 1);
});

test("the server is started again, and the tablet goes on by itself", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  camera.leave();
  for (const { id } of await rows()) await api("DELETE", `/attendance/${id}`);
  await gone(tablet, "greeting");
  camera.sit(people.hopperLater);
  await tablet.waitForTimeout(300);
  await server.restart({ signal: "SIGKILL", away: 3000 });
  await says(tablet, "greeting-name", "Grace Hopper");
  await gone(tablet, "trouble");
  assert.equal((await rows()).length, 1);
  camera.leave();
});

test("a movement that is asked for is shown as an arrow and in words, without a name", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await gone(tablet, "greeting");
  for (const { id } of await rows()) await api("DELETE", `/attendance/${id}`);
  await api("PUT", "/kiosks/1", { name: "Tablet 1", location: "Main gate", gate: "ask", tone: true, speech: true });
  await tablet.waitForTimeout(16_000);
  const asked = () => tablet.waitForFunction(
    () => document.getElementById("arrow").textContent, undefined, { timeout: SOON },
  );
  const walkAway = async () => {
    camera.turn("center");
    camera.leave();
    await tablet.waitForTimeout(3000);
  };
  // The first question is looked at, and time passes.
  camera.sit(people.hopperMoved);
  await asked();
  assert.match(await tablet.textContent("#advice"), /^(Turn your head to your (left|right)|Look (up|down))\.$/);
  assert.ok(!(await tablet.content()).includes("Hopper"), "nobody who may be a photograph is named");
  await picture(tablet, "kiosk-portrait-light-question");
  assert.deepEqual(await barriers(tablet, "question"), []);
  assert.deepEqual(await rows(), []);
  await walkAway();
  // The next ones are answered at once.
  for (let tries = 0; ; tries += 1) {
    assert.ok(tries < 30, "30 questions without an answer");
    camera.sit(people.hopperMoved);
    const side = { "\u2190": "left", "\u2192": "right" }[await (await asked()).jsonValue()];
    if (side) {
      camera.turn(side);
      const greeted = await tablet.waitForFunction(
        () => document.getElementById("greeting-name").textContent === "Grace Hopper", undefined, { timeout: 15_000 },
      ).catch(() => null);
      if (greeted) break;
    }
    // Nobody in these pictures nods, and a busy machine may see the turn too late: another face, another question.
    await walkAway();
  }
  assert.equal((await rows()).length, 1);
  camera.leave();
  assert.deepEqual(tablet.problems, []);
});

test("a screen that nobody stands before darkens, and wakes by movement", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await gone(tablet, "greeting");
  let sent = 0;
  tablet.on("request", (request) => { if (request.url().endsWith("/kiosk/frame")) sent += 1; });
  // Nobody waits here for the page's minute and a half.
  await tablet.evaluate(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + 80_000;
  });
  await shows(tablet, "night");
  await picture(tablet, "kiosk-portrait-light-night");
  sent = 0;
  await tablet.waitForTimeout(3000);
  assert.equal(sent, 0, "no picture leaves the tablet while nobody is there");
  camera.sit(people.collins);
  await gone(tablet, "night");
  await says(tablet, "advice", "I do not know this face. Please tell the supervisor.");
  await picture(tablet, "kiosk-portrait-light-unknown");
  camera.leave();
});

test("a revoked tablet goes back to its code, in German and on its side too", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await admin.reload();
  await go(admin, "cameras");
  await admin.getByRole("button", { name: "More: Tablet 1", exact: true }).click();
  await admin.getByRole("button", { name: "Revoke: Tablet 1", exact: true }).click();
  await admin.click("#confirm-yes");
  await says(admin, "kiosks-note", "The tablet of Tablet 1 is paired no longer.");
  await shows(tablet, "pairing");
  await says(tablet, "pair-why", "This tablet is not paired any more");
  await picture(tablet, "kiosk-portrait-light-revoked");
  await tablet.selectOption("#language", "de");
  await says(tablet, "pair-submit", "Koppeln");
  await tablet.setViewportSize(LANDSCAPE);
  await tablet.emulateMedia({ colorScheme: "dark" });
  await picture(tablet, "kiosk-landscape-dark-revoked");
  assert.deepEqual(await barriers(tablet, "revoked"), []);
  const { code } = (await api("POST", "/kiosks/1/code")).data;
  await tablet.fill("#code", code);
  await tablet.click("#pair-submit");
  await shows(tablet, "gate");
  await picture(tablet, "kiosk-landscape-dark-waits");
  assert.deepEqual(await barriers(tablet, "waits"), []);
  assert.deepEqual(tablet.problems, []);
});
