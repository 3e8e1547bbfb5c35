// The board of the day, the month's register, a person's calendar and the trends, each named after what must hold.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PHONE, barriers, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { fill } from "../src/database.js";
import { PICTURES, startServer } from "../src/server.js";

const SCHEMA = 14;
const TODAY = new Date().toISOString().slice(0, 10);
const MONTH = TODAY.slice(0, 7);
const JOINED = "2026-01-01";
const AT = { created_at: `${JOINED}T08:00:00Z`, created_by: "admin" };
const NAMES = ["Asha Rao", "Björn Østergård", "Chen Wei", "Dina Ali", "Emil Novák", "Fatima Diallo", "Grace Hopper"];
// A day that begins at midnight and on which one is late at once: the test may run at any time of any day.
const PERIODS = JSON.stringify([{ name: "morning", begins: "00:00:00", late_after: "00:01:00" }]);
const EVERY_DAY = "mon tue wed thu fri sat sun";

// Four in 7A of whom one came, one was late, one is excused and one is missing; two in 7B; one in no group.
const rows = [
  ...NAMES.map((name, at) => ["students", { id: at + 1, name, roll_number: `R-${at + 1}`, created_at: AT.created_at }]),
  ["attendance_log", mark(1, 1, "00:00:30", "Present")],
  ["attendance_log", mark(2, 2, "00:05:00", "Late")],
  ["student_groups", { id: 1, name: "7A", name_key: "7a", kind: "class", ...AT }],
  ["student_groups", { id: 2, name: "7B", name_key: "7b", kind: "class", ...AT }],
  ...[1, 2, 3, 4, 5, 6].map((id) => ["group_members", {
    id, group_id: id < 5 ? 1 : 2, student_id: id, from_day: JOINED, ...AT,
  }]),
  ["timetables", { id: 1, valid_from: JOINED, weekdays: EVERY_DAY, periods: PERIODS, ...AT }],
  ["excuses", { id: 1, student_id: 3, first_day: TODAY, last_day: TODAY, reason: "At the dentist", ...AT }],
];

function mark(id, student, time, status) {
  const timestamp = `${TODAY}T${time}Z`;
  return { id, student_id: student, timestamp, status, created_at: timestamp, local_day: TODAY, period: "morning" };
}

let browser;
let server;
let page;

async function call(method, path) {
  const { access_token: token } = await (await fetch(`${server.url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "admin", password: "admin123" }),
  })).json();
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(`${server.url}/api/v1${path}`, { method, headers });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
}

before(async () => {
  server = await startServer({ prepare: (program, folder) => fill(program, folder, rows, SCHEMA) });
  if (!server.folder) return;
  browser = await launch();
  page = await open(browser, server.url);
  await logIn(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const withDatabase = (name, body) => test(name, async (context) => {
  if (!server.folder) return context.skip("the server was started by somebody else");
  await body();
});
const figure = (root, name) => page.textContent(`${root} .${name} dd`);
const card = (name) => page.locator("#today-board .card", { has: page.getByRole("heading", { name }) });

withDatabase("the first page says who is missing, and a mark moves a name without a reload", async () => {
  await page.waitForSelector("#page-today:not([hidden])");
  await card("7A").waitFor();
  for (const [name, count] of [["expected", 7], ["present", 1], ["late", 1], ["excused", 1], ["missing", 4]])
    assert.equal(await figure("#today-figures", name), String(count), name);
  assert.match(await card("7A").textContent(), /1 missing.*Dina Ali.*1 late.*Björn Østergård/s);
  assert.match(await card("7A").textContent(), /At the dentist/);
  assert.match(await card("Without a group").textContent(), /Grace Hopper/);
  assert.deepEqual(await barriers(page, "today"), []);
  await picture(page, "views-today");
  await call("POST", "/attendance/mark?student_id=4");
  await page.waitForFunction(() => document.querySelector("#today-figures .missing dd").textContent === "3");
  assert.doesNotMatch(await card("7A").textContent(), /1 missing/);
});

withDatabase("the attendance lists and counts who is missing or excused, though no row says so", async () => {
  await go(page, "attendance");
  await page.locator("#attendance-rows tr").first().waitFor();
  assert.equal(await figure("#attendance-sums", "absent"), "3");
  assert.match(await page.textContent("#attendance-sums .absent dt"), /Absent today/);
  const listed = async (status, count, somebody) => {
    await page.selectOption("#status", status);
    await page.click("#attendance-form button[type=submit]");
    // As many may have been listed before: the rows tell that the list is another.
    await page.locator("#attendance-rows tr", { hasText: somebody }).waitFor();
    assert.equal(await page.textContent("#attendance-count"), `1 to ${count} of ${count}`);
    return page.textContent("#attendance-rows");
  };
  assert.match(await listed("Absent", 3, "Emil Novák"), /Emil Novák.*Fatima Diallo.*Grace Hopper/s);
  assert.equal(await page.locator("#export-csv").isVisible(), false, "the export holds rows alone");
  assert.ok(await page.locator("th[data-sort] button").first().isDisabled());
  assert.deepEqual(await barriers(page, "attendance of the absent"), []);
  await picture(page, "views-attendance-absent");
  assert.match(await listed("Excused", 1, "Chen Wei"), /Chen Wei.*At the dentist/s);
  await page.click("#attendance-form button[type=reset]");
  await page.locator("#export-csv").waitFor();
  assert.equal(await page.locator("th[data-sort] button").first().isDisabled(), false);
});

withDatabase("what the board is asked for stays in the address", async () => {
  await go(page, "today");
  await page.selectOption("#today-group", { label: "7B" });
  await page.waitForFunction(() => document.querySelectorAll("#today-board .card").length === 1);
  await page.reload();
  await page.waitForSelector("#page-today:not([hidden])");
  await card("7B").waitFor();
  assert.equal(await page.locator("#today-board .card").count(), 1);
  assert.equal(await page.locator("#today-group option:checked").textContent(), "7B");
  // A name leads to the person, and Back to the same board.
  await page.getByRole("link", { name: "Emil Novák" }).click();
  await page.waitForSelector("#page-person:not([hidden])");
  await page.goBack();
  await card("7B").waitFor();
});

withDatabase("the register is a sheet with a letter a day, on the screen and in a file", async () => {
  await go(page, `month?group=1&month=${MONTH}`);
  const line = page.locator("table.month tbody tr", { hasText: "Björn Østergård" });
  await line.waitFor();
  assert.equal(await page.locator("table.month tbody tr").count(), 4);
  const today = Number(TODAY.slice(8)) - 1;
  const letters = await page.$$eval("table.month tbody tr", (lines, at) =>
    lines.map((one) => one.querySelectorAll("td")[at + 1].querySelector("[aria-hidden]").textContent), today);
  assert.deepEqual([letters[0], letters[1], letters[2]], ["P", "L", "X"]);
  const here = await page.$$eval("table.month tfoot td", (cells) => cells.map((cell) => cell.textContent));
  assert.equal(here[today + 1], String(letters.filter((letter) => "PL".includes(letter)).length));
  assert.ok(here.slice(today + 2).every((count) => count === ""), "nobody knows who will come");
  assert.deepEqual(await barriers(page, "register"), []);
  await picture(page, "views-register");
  for (const [button, file] of [["#month-csv", /\.csv$/], ["#month-xlsx", /\.xlsx$/]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
    assert.match(download.suggestedFilename(), file);
    const bytes = readFileSync(await download.path());
    if (button === "#month-xlsx") assert.equal(bytes.subarray(0, 2).toString(), "PK");
    else assert.match(bytes.toString(), /^\uFEFFGroup,Name,Roll Number.*\n7A,Asha Rao,R-1,.*P/);
  }
});

withDatabase("a printed register is one clean page of A4 across", async () => {
  await go(page, `month?group=1&month=${MONTH}`);
  await page.locator("table.month tbody tr").first().waitFor();
  const paper = await page.pdf({ preferCSSPageSize: true, path: join(PICTURES, "views-register.pdf") });
  const text = paper.toString("latin1");
  const [, width, height] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(text);
  assert.deepEqual([Math.round(width), Math.round(height)], [842, 595]);
  assert.equal(text.match(/\/Type \/Page\b(?!s)/g).length, 1);
  await page.emulateMedia({ media: "print" });
  const seen = await page.evaluate(() => ({
    nav: document.querySelector("header").checkVisibility(),
    form: document.getElementById("month-form").checkVisibility(),
    signature: document.querySelector(".signature").checkVisibility(),
    legend: document.querySelector(".sheet-legend").checkVisibility(),
    title: document.querySelector(".sheet-title").checkVisibility(),
  }));
  assert.deepEqual(seen, { nav: false, form: false, signature: true, legend: true, title: true });
  await page.emulateMedia({ media: null });
});

withDatabase("a person's days are a calendar, and days in the wrong order are an error", async () => {
  await go(page, "person/2");
  await page.waitForFunction(() => document.getElementById("person-title").textContent.includes("Björn Østergård"));
  assert.equal(await figure("#person-figures", "late"), "1");
  const told = page.locator("#person-days tr", { hasText: "Late" });
  assert.match(await told.first().textContent(), /morning.*Late/);
  assert.deepEqual(await barriers(page, "person"), []);
  await picture(page, "views-person");
  await page.fill("#person-from", TODAY);
  await page.fill("#person-to", "2026-01-02");
  await page.click("#person-form button[type=submit]");
  assert.match(await page.textContent("#person-note"), /before/);
  assert.equal(await page.getAttribute("#person-to", "aria-invalid"), "true");
});

withDatabase("the values of a plot are reached by the arrow keys, told, and there as a table", async () => {
  await go(page, `trends?from=${TODAY}&to=${TODAY}`);
  const plot = page.locator("#trends-groups");
  const point = plot.locator(".point[tabindex='0']");
  await point.waitFor();
  assert.equal(await plot.locator(".point[tabindex='0']").count(), 1, "one stop of the Tab key");
  await point.focus();
  const first = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  await page.keyboard.press("ArrowDown");
  const second = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  assert.notEqual(first, second);
  assert.match(second, /%/);
  assert.equal(await plot.locator(".plot-said").textContent(), second);
  await page.keyboard.press("Home");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), first);
  await plot.locator("summary").click();
  assert.ok(await plot.locator("td", { hasText: "7A" }).isVisible());
  assert.deepEqual(await barriers(page, "trends"), []);
  await picture(page, "views-trends");
});

withDatabase("the views fit a phone and a dark room, in German", async () => {
  const phone = await open(browser, server.url, {
    viewport: PHONE, hasTouch: true, colorScheme: "dark", locale: "de-DE",
  });
  await logIn(phone);
  for (const where of ["today", "month", "person/2", "trends"]) {
    await go(phone, where);
    await phone.waitForTimeout(300);
    assert.deepEqual(await barriers(phone, where), []);
    assert.equal(await scrollsSideways(phone), false, where);
    await picture(phone, `views-phone-${where.split("/")[0]}`);
  }
  assert.deepEqual(phone.problems, []);
  await phone.context().close();
  assert.deepEqual(page.problems, []);
});

test("without students the first page says what to do", async () => {
  const fresh = await startServer();
  const visitor = await open(browser ?? (browser = await launch()), fresh.url);
  try {
    await logIn(visitor);
    await visitor.waitForSelector("#today-empty:not([hidden])");
    assert.equal(await visitor.textContent("#today-empty-title"), "There are no students yet");
    assert.deepEqual(
      await visitor.$$eval("#today-empty-do a", (links) => links.map((link) => link.hash)), ["#register", "#groups"],
    );
    assert.deepEqual(await barriers(visitor, "empty"), []);
    await picture(visitor, "views-empty");
  } finally {
    await visitor.context().close();
    await fresh.stop();
  }
});
