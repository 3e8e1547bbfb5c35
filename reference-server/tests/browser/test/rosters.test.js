// A school's list is imported from the page, shown first; groups, timetables, the calendar and excuses are kept there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, barriers, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { startServer } from "../src/server.js";

let browser;
let server;
let page;

const list = (count) => {
  const line = (_, at) => `${String(at).padStart(4, "0")};Müller ${at};${["5A", "5B", "Chor"][at % 3]}`;
  return ["Nr.;Name;Klasse", ...Array.from({ length: count }, line)].join("\r\n");
};
const choose = (name, text) =>
  page.setInputFiles("#import-file", { name, mimeType: "text/csv", buffer: Buffer.from(text) });

before(async () => {
  server = await startServer();
  if (!server.folder) return;
  browser = await launch();
  page = await open(browser, server.url);
  await logIn(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a list is shown with what is wrong by line, and imported as it was shown", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await go(page, "groups");
  await page.waitForSelector("#groups-none .nothing");
  assert.deepEqual(await barriers(page, "no groups"), []);
  await page.click("#groups-import");
  await choose("wrong.csv", "Nr.;Name;Klasse\r\n1;;5A\r\n2;Asha;5A\r\n2;Ben;5A\r\n");
  await page.waitForSelector("#import-problem-rows tr");
  const problems = await page.locator("#import-problem-rows tr").allTextContents();
  assert.equal(problems.length, 2);
  assert.match(problems[0], /2.*Name.*missing/);
  assert.equal(await page.isDisabled("#import-apply"), true);
  assert.deepEqual(await barriers(page, "a wrong list"), []);
  await picture(page, "desktop-light-import-wrong");

  await choose("school.csv", list(300));
  await page.waitForSelector("#import-change-rows tr");
  assert.match(await page.textContent("#import-counts"), /300/);
  assert.deepEqual(await barriers(page, "a list to import"), []);
  await picture(page, "desktop-light-import");
  await page.click("#import-apply");
  await page.waitForFunction(() => /imported/.test(document.getElementById("import-note").textContent));
  await page.click("#import-close");
  assert.equal(await page.locator("#groups-rows tr").count(), 3);
  await picture(page, "desktop-light-groups");
  assert.deepEqual(await barriers(page, "groups"), []);
  assert.deepEqual(page.problems, []);
});

test("a group has members, a timetable, holidays and excuses", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await page.click("#groups-rows a:text-is('5A')");
  await page.waitForSelector("#members-rows tr");
  assert.equal(await page.locator("#members-rows tr").count(), 100);

  await page.fill("#members-search", "0001");
  await page.click("#members-form button[type=submit]");
  await page.waitForFunction(() => /was added/.test(document.getElementById("members-note").textContent));
  assert.equal(await page.locator("#members-rows tr").count(), 101);

  await page.click("#timetable-form >> xpath=ancestor::details/summary");
  await page.click("#timetable-more");
  await page.fill("#timetable-periods input[name=name]", "morning");
  await page.fill("#timetable-periods input[name=begins]", "07:30");
  await page.fill("#timetable-periods input[name=late_after]", "08:10");
  await page.click("#timetable-form button[type=submit]");
  await page.waitForFunction(() => /late from 08:10/.test(document.getElementById("timetable-versions").textContent));

  await page.fill("#calendar-name", "Sports day");
  await page.fill("#calendar-first", "2026-09-10");
  await page.click("#calendar-form button[type=submit]");
  await page.waitForSelector("#calendar-rows tr");

  await page.fill("#excuses-who", "0003");
  await page.fill("#excuses-first", "2026-09-11");
  await page.fill("#excuses-reason", "flu");
  await page.click("#excuses-form button[type=submit]");
  await page.waitForSelector("#excuses-rows tr");
  assert.match(await page.textContent("#excuses-rows"), /Müller 3.*flu/s);
  assert.deepEqual(await barriers(page, "a group"), []);
  await picture(page, "desktop-light-group");
  assert.deepEqual(page.problems, []);
});

test("the groups fit a telephone", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  const phone = await open(browser, server.url, { viewport: PHONE });
  await logIn(phone);
  await go(phone, "groups");
  await phone.waitForSelector("#groups-rows tr");
  assert.equal(await scrollsSideways(phone), false);
  assert.deepEqual(await barriers(phone, "groups on a telephone"), []);
  await picture(phone, "phone-light-groups");
});
