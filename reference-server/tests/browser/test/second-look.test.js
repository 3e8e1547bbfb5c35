// Whom a camera did not believe to be alive: listed, counted, and decided by the keyboard.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, barriers, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { fill } from "../src/database.js";
import { startServer } from "../src/server.js";

const NAMES = ["Grace Hopper", "Eileen Collins", "Asha Rao", "Zoë Meyer"];

// One sighting of each, a second apart; the last is the newest.
const rows = NAMES.flatMap((name, at) => {
  const id = at + 1;
  const [spoof, seconds] = [at === 2, String(at).padStart(2, "0")];
  return [
    ["students", { id, name, roll_number: `R-${id}`, created_at: "2026-03-01T08:00:00Z" }],
    ["second_looks", {
      id,
      student_id: id,
      seen_at: `2026-03-02T08:15:${seconds}Z`,
      local_day: "2026-03-02",
      day_starts_at: "2026-03-02T00:00:00Z",
      day_ends_at: "2026-03-03T00:00:00Z",
      period: "day",
      status: "Present",
      confidence_score: "0.91",
      camera_location: "Main gate",
      verdict: spoof ? "spoof" : "undecided",
      reasons: spoof ? "frozen passive_low" : "few_views",
      state: "open",
    }],
  ];
}).sort(([one], [other]) => Number(one === "second_looks") - Number(other === "second_looks"));

let browser;
let server;
let page;

before(async () => {
  server = await startServer({ prepare: (program, folder) => fill(program, folder, rows) });
  if (!server.folder) return;
  browser = await launch();
  page = await open(browser, server.url);
  await logIn(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const waits = (count) => `${count} ${count === 1 ? "waits" : "wait"} for a decision`;
const counted = (shown, count) => shown.waitForFunction(
  (text) => document.getElementById("second-look-open").textContent.includes(text), waits(count),
);
const cells = async (line) => (await page.locator("#second-look-rows tr").nth(line).locator("td").allTextContents());
const focused = () => page.evaluate(() => {
  const { activeElement } = document;
  return activeElement.getAttribute("aria-label") ?? activeElement.id;
});

test("the navigation counts who waits, and the list says who, where, when and why", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await counted(page, 4);
  await go(page, "second-look");
  await page.waitForFunction(() => document.querySelectorAll("#second-look-rows tr").length === 4);
  assert.equal(await focused(), "second-look-title");
  const [name, roll, when, place, similarity, why] = await cells(1);
  assert.deepEqual([name, roll, place, similarity], ["Asha Rao", "R-3", "Main gate", "0.91"]);
  assert.match(when, /2 Mar 2026/);
  assert.equal(why, "looks like a picture: the same picture again and again; looks like paper or a screen");
  assert.equal((await cells(0))[5], "not sure: seen too shortly");
  await picture(page, "desktop-light-second-look-rows");
  assert.deepEqual(await barriers(page, "second look"), []);
});

test("an operator works the list off by the keyboard, and other pages see the count fall", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  const other = await open(browser, server.url);
  await logIn(other);
  await counted(other, 4);
  await page.getByRole("button", { name: /^Confirm: Zoë Meyer/ }).focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    () => document.getElementById("second-look-note").textContent.startsWith("Zoë Meyer is marked at "),
  );
  await counted(other, 3);
  await page.waitForFunction(() => document.activeElement.getAttribute("aria-label")?.startsWith("Confirm: Asha Rao"));
  await page.keyboard.press("Tab");
  assert.match(await focused(), /^Refuse: Asha Rao/);
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    () => document.getElementById("second-look-note").textContent.startsWith("The sighting of Asha Rao was refused."),
  );
  await counted(page, 2);

  // Somebody else decides what is still shown here.
  await page.route("**/second-looks/2/confirm", async (route) => {
    const authorization = await route.request().headerValue("authorization");
    const decided = await fetch(route.request().url(), { method: "POST", headers: { authorization } });
    assert.equal(decided.status, 200);
    await route.continue();
  });
  await page.getByRole("button", { name: /^Confirm: Eileen Collins/ }).click();
  await page.waitForFunction(
    () => document.getElementById("second-look-note").textContent === "This sighting was decided already.",
  );
  assert.deepEqual(page.problems.splice(0).filter((text) => !text.includes("409")), []);
  await counted(other, 1);

  await page.getByRole("button", { name: /^Refuse: Grace Hopper/ }).click();
  await page.waitForFunction(
    () => document.getElementById("second-look-count").textContent === "Nobody is waiting for a second look.",
  );
  // The event of the decision may show the list before its answer does.
  await page.waitForFunction(() => document.activeElement.id === "second-look-count");
  assert.ok(await page.isHidden("#second-look-open"));
  await page.selectOption("#second-look-state", "");
  await page.waitForFunction(() => document.querySelectorAll("#second-look-rows tr").length === 4);
  assert.match((await cells(0))[6], /^confirmed by admin, 2/);
  assert.match((await cells(1))[6], /^refused by admin, 2/);
  await go(page, "attendance");
  await page.waitForFunction(() => document.querySelectorAll("#attendance-rows tr").length === 2);
  await go(page, "log");
  await page.locator("#log-rows tr", { hasText: "confirmed a sighting" }).first().waitFor();
  assert.deepEqual([page.problems, other.problems], [[], []]);
  await other.context().close();
});

test("a viewer reads the list and decides nothing; on a phone, in German, in the dark", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await page.evaluate(async () => {
    const Authorization = `Bearer ${sessionStorage.getItem("faceattend.token")}`;
    const headers = { Authorization, "Content-Type": "application/json" };
    const body = JSON.stringify({ username: "vera", password: "correct horse", role: "viewer" });
    await fetch("/api/v1/auth/users", { method: "POST", headers, body });
  });
  const viewer = await open(browser, server.url, { viewport: PHONE, colorScheme: "dark", locale: "de-DE" });
  await logIn(viewer, "vera", "correct horse");
  await go(viewer, "second-look");
  await viewer.selectOption("#second-look-state", "");
  await viewer.waitForFunction(() => document.querySelectorAll("#second-look-rows tr").length === 4);
  assert.ok(await viewer.isVisible("#second-look-only-look"));
  assert.equal(await viewer.locator("#second-look-rows button").count(), 0);
  const text = await viewer.locator("#second-look-rows").textContent();
  assert.match(text, /sieht nach einem Bild aus: immer wieder dasselbe Bild; sieht nach Papier/);
  await picture(viewer, "phone-dark-second-look-rows");
  assert.deepEqual(await barriers(viewer, "second look"), []);
  assert.ok(!(await scrollsSideways(viewer)));
  assert.deepEqual(viewer.problems, []);
  await viewer.context().close();
});
