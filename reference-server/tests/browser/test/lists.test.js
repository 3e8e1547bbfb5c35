// Lists that can be worked with, and the frame around them, each named after what must hold.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, barriers, choose, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { startServer } from "../src/server.js";

const NAMES = [["Özil Adem", "10"], ["anna Bell", "9"], ["Zoe Carr", "8"]];

let browser;
let server;
let page;
let token;

async function call(method, path, body) {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const rows = (where = page) =>
  where.locator("#students-rows tr").evaluateAll((lines) => lines.map((line) => line.cells[0].textContent));

before(async () => {
  const nouns = ["--person-noun", "Employee/Employees,de=Angestellte/Angestellte", "--number-noun", "Staff number"];
  server = await startServer({ more: nouns });
  token = (await call("POST", "/auth/login", { username: "admin", password: "admin123" })).access_token;
  browser = await launch();
  page = await open(browser, server.url, { viewport: { width: 1024, height: 768 } });
  await logIn(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("an empty list says what to do, and a person is added without a face", async () => {
  await go(page, "students");
  await page.locator("#page-students").getByRole("link", { name: "Register the first person" }).waitFor();
  await picture(page, "lists-empty");
  for (const [name, roll] of NAMES) {
    await page.click("#students-add");
    await page.fill("#add-name", name);
    await page.fill("#add-roll", roll);
    await page.click("#add-form button[type=submit]");
    await page.waitForFunction((said) => document.getElementById("students-note").textContent === said,
      `${name} was added.`);
  }
  await page.click("#students-add");
  await page.fill("#add-name", "Another");
  await page.fill("#add-roll", "8");
  await page.click("#add-form button[type=submit]");
  await page.locator("#add-note", { hasText: "Somebody else has this: Staff number." }).waitFor();
  await page.click("#add-cancel");
  assert.deepEqual(await rows(), NAMES.map(([name]) => name));
  assert.deepEqual(page.problems.splice(0).filter((text) => !text.includes("400")), []);
});

test("a list is ordered by its heads with the keyboard, and a reload keeps order and filters", async () => {
  const ordered = async (names) =>
    page.waitForFunction((wanted) => {
      const seen = [...document.querySelectorAll("#students-rows tr")].map((line) => line.cells[0].textContent);
      return seen.join() === wanted;
    }, names.join());
  const byName = ["anna Bell", "Özil Adem", "Zoe Carr"];
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").focus();
  await page.keyboard.press("Enter");
  await ordered(byName);
  assert.equal(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort"), "ascending");
  await page.keyboard.press("Enter");
  await ordered(byName.toReversed());
  await page.getByRole("columnheader", { name: "Staff number" }).getByRole("button").click();
  await ordered(["Zoe Carr", "anna Bell", "Özil Adem"]);
  await page.check("#no-face");
  await page.fill("#search", "l");
  await page.keyboard.press("Enter");
  await ordered(["anna Bell", "Özil Adem"]);
  await page.reload();
  await ordered(["anna Bell", "Özil Adem"]);
  assert.ok(await page.isChecked("#no-face"));
  assert.equal(await page.inputValue("#search"), "l");
  assert.deepEqual(await barriers(page, "an ordered list"), []);
  await picture(page, "lists-ordered");
  await page.fill("#search", "nobody of that name");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Show everything" }).click();
  await page.waitForFunction(() => document.querySelectorAll("#students-rows tr").length === 3);
});

test("a name leads to the person's page", async () => {
  await page.getByRole("link", { name: "Zoe Carr" }).click();
  await page.waitForSelector("#page-person:not([hidden])");
  assert.match(page.url(), /#person\/3/);
});

test("the log names whom and what, and after an erasure nobody", async () => {
  await call("POST", "/attendance/mark?student_id=2");
  const { items: [mark] } = await call("GET", "/attendance/?student_id=2");
  await call("DELETE", `/attendance/${mark.id}`);
  await go(page, "log");
  await page.locator("#log-rows tr", { hasText: "removed a mark" }).filter({ hasText: "anna Bell (9)" }).waitFor();
  await page.locator("#log-rows tr", { hasText: "marked by hand" }).filter({ hasText: "anna Bell (9)" }).waitFor();
  await picture(page, "lists-log");
  await call("DELETE", "/students/2");
  await go(page, "students");
  await go(page, "log");
  await page.locator("#log-rows tr", { hasText: "deleted a person" }).filter({ hasText: "2 (erased)" }).waitFor();
  assert.ok(!(await page.textContent("#page-log")).includes("anna Bell"), "the log keeps the name of an erased person");
});

test("people and numbers are called as the place calls them, in each language", async () => {
  const seen = async () => {
    await go(page, "students");
    return page.evaluate(() => [
      document.querySelector("#nav a[href='#students']").textContent,
      document.getElementById("students-title").textContent,
      document.querySelector("#page-students th:nth-child(2)").textContent,
      document.querySelector("label[for=search]").textContent,
    ]);
  };
  assert.deepEqual(await seen(), ["Employees", "Employees", "Staff number", "Name or Staff number"]);
  await page.selectOption("#language", "de");
  await page.waitForFunction(() => document.getElementById("students-title").textContent === "Angestellte");
  assert.deepEqual(await seen(), ["Angestellte", "Angestellte", "Staff number", "Name oder Staff number"]);
  for (const name of ["today", "month", "register", "attendance", "students"]) {
    await go(page, name);
    const said = await page.evaluate(() => document.querySelector("main").innerText);
    assert.doesNotMatch(said, /Schüler/, name);
  }
  await page.selectOption("#language", "en");
  await page.waitForFunction(() => document.getElementById("students-title").textContent === "Employees");
});

test("the links stand in one rail at 1024 pixels, each whole and in sight", async () => {
  const { tops, cut } = await page.evaluate(() => {
    const links = [...document.querySelectorAll("#nav a")].filter((link) => link.offsetParent);
    const boxes = links.map((link) => link.getBoundingClientRect());
    return {
      tops: new Set(boxes.map(({ left }) => left)).size,
      cut: links.filter((link, at) => link.scrollWidth > link.clientWidth || boxes[at].bottom > innerHeight).length,
    };
  });
  assert.deepEqual({ tops, cut }, { tops: 1, cut: 0 });
  assert.ok(!(await scrollsSideways(page)));
});

test("a telephone has the most used below, and all of them behind More, by the keyboard too", async () => {
  const phone = await open(browser, server.url, { viewport: PHONE, hasTouch: true });
  await logIn(phone);
  const visible = () => phone.locator("#nav a:visible").allTextContents();
  assert.deepEqual(await visible(), ["Today", "Attendance", "Employees", "Live"]);
  const more = phone.locator("#nav-more");
  await more.focus();
  await phone.keyboard.press("Enter");
  assert.equal(await more.getAttribute("aria-expanded"), "true");
  const all = await visible();
  for (const name of ["Month", "Trends", "Cameras", "Devices", "Log", "Accounts"]) assert.ok(all.includes(name), name);
  assert.deepEqual(await barriers(phone, "all links"), []);
  await picture(phone, "lists-phone-more");
  await phone.keyboard.press("Escape");
  assert.equal(await more.getAttribute("aria-expanded"), "false");
  assert.equal(await phone.evaluate(() => document.activeElement.id), "nav-more");
  await more.click();
  await phone.getByRole("link", { name: "Cameras" }).click();
  await phone.waitForSelector("#page-cameras:not([hidden])");
  assert.equal((await visible()).length, 4, "the bar closes when a page is chosen");
  await go(phone, "students");
  await phone.getByRole("button", { name: "Name" }).first().click();
  await phone.waitForFunction(() =>
    document.querySelector("#students-rows tr")?.cells[0].textContent.startsWith("Özil"));
  // What lies under the bar can be scrolled out from under it.
  const clear = await phone.evaluate(() => {
    scrollTo(0, document.body.scrollHeight);
    const last = [...document.querySelectorAll("#students-rows button")].filter((one) => one.offsetParent).at(-1);
    return last.getBoundingClientRect().bottom <= document.getElementById("nav").getBoundingClientRect().top;
  });
  assert.ok(clear, "the bar covers the last button");
  await picture(phone, "lists-phone");
  assert.ok(!(await scrollsSideways(phone)));
  assert.deepEqual(phone.problems, []);
  await phone.context().close();
});

test("a menu of a row opens, moves the focus and closes by the keyboard", async () => {
  await go(page, "students");
  const opener = page.getByRole("button", { name: "More: Zoe Carr", exact: true });
  await opener.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".menu:popover-open");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Attendance: Zoe Carr");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "More: Zoe Carr");
  await choose(page, "Change", "Zoe Carr");
  await page.waitForSelector("#change[open]");
  await page.keyboard.press("Escape");
  assert.deepEqual(page.problems, []);
});
