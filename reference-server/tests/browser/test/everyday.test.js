// What people stumbled over on the pages, each named after what must hold.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PHONE, barriers, choose, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { MEDIA, startServer } from "../src/server.js";

// The screen of a common laptop.
const LAPTOP = { width: 1280, height: 800 };
const LONG = "Wolfeschlegelsteinhausenbergerdorff".repeat(7);

let browser;
let server;
let page;
let token;

// Asks the server as a program does.
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

async function enrol(person, name, roll) {
  const { data: { session_id } } = await call("POST", "/liveness/session", { mirrored: false });
  for (const position of ["center", "left", "right"]) {
    const frame_data = readFileSync(join(MEDIA, person, `${position}.jpg`)).toString("base64");
    await call("POST", "/liveness/detect", { session_id, position, frame_data });
  }
  const made = await call("POST", "/liveness/register-student", { session_id, name, roll_number: roll });
  return made.data.student_id;
}

before(async () => {
  server = await startServer({ more: ["--duplicates", "warn"] });
  token = (await call("POST", "/auth/login", { username: "admin", password: "admin123" })).access_token;
  browser = await launch();
  page = await open(browser, server.url, { viewport: LAPTOP });
  await logIn(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("the camera is started without scrolling on a laptop's screen", async () => {
  for (const [name, start] of [["register", "register-start"], ["live", "browser-start"]]) {
    await go(page, name);
    // What only an admin of a fresh server reads stands above.
    await page.evaluate(() => { document.getElementById("passive").hidden = true; });
    const { bottom, seen } = await page.evaluate((id) => {
      const { bottom: edge } = document.getElementById(id).getBoundingClientRect();
      return { bottom: edge, seen: innerHeight };
    }, start);
    assert.ok(bottom <= seen, `${start} ends at ${bottom} of ${seen}`);
  }
});

test("banners cover no button and move nothing", async () => {
  await go(page, "live");
  const places = () => page.evaluate(() => {
    const of = (one) => {
      const { left, top, right, bottom } = one.getBoundingClientRect();
      return [left, top, right, bottom];
    };
    const shown = [...document.querySelectorAll("button, a, input, select")].filter((one) => one.offsetParent);
    return {
      banners: [...document.querySelectorAll(".banner")].filter((one) => one.offsetParent).map(of),
      others: shown.filter((one) => !one.closest("#banners")).map(of),
    };
  });
  const before = await places();
  await page.evaluate(async () => {
    const { banner } = await import("./banners.js");
    for (let n = 0; n < 5; n += 1) banner(`Marked: Somebody with a long name ${n} (R-${n}), the gate in the north`);
  });
  const { banners, others } = await places();
  assert.ok(banners.length > 0 && banners.length <= 3, `${banners.length} banners`);
  assert.deepEqual(others, before.others, "nothing has moved");
  for (const [left, top, right, bottom] of banners)
    for (const other of others)
      assert.ok(right <= other[0] || left >= other[2] || bottom <= other[1] || top >= other[3], `${other} is covered`);
  await picture(page, "laptop-banners");
});

test("the filters of the attendance stay over a reload, and the last day may not come before the first", async () => {
  const one = await call("POST", "/students/", { name: "Asha Rao", roll_number: "R-1" });
  await call("POST", `/attendance/mark?student_id=${one.data.student_id}`, {});
  await go(page, "attendance");
  await page.fill("#from", "2026-01-02");
  await page.fill("#to", "2026-01-01");
  await page.click("#attendance-form button[type=submit]");
  const count = page.locator("#attendance-count");
  await count.filter({ hasText: "The last day comes before the first." }).waitFor();
  assert.equal(await page.getAttribute("#to", "aria-invalid"), "true");
  assert.equal(await page.locator("#attendance-rows tr").count(), 0, "no row stands for a question without an answer");
  await page.click("#export-csv");
  await page.locator("#attendance-note", { hasText: "The last day comes before the first." }).waitFor();
  await picture(page, "laptop-wrong-days");

  await page.fill("#from", "2026-01-01");
  await page.fill("#to", "2099-12-31");
  await page.selectOption("#status", "Present");
  await page.click("#attendance-form button[type=submit]");
  await page.locator("#attendance-rows tr").first().waitFor();
  await page.reload();
  await page.locator("#attendance-rows tr").first().waitFor();
  const fields = await page.evaluate(() => ["from", "to", "status"].map((id) => document.getElementById(id).value));
  assert.deepEqual(fields, ["2026-01-01", "2099-12-31", "Present"]);
  const [asked] = await Promise.all([
    page.waitForRequest((request) => request.url().endsWith("/attendance/export")),
    page.click("#export-csv"),
  ]);
  const { status_filter, byte_order_mark, start_date } = asked.postDataJSON();
  assert.deepEqual([status_filter, byte_order_mark, start_date], ["Present", true, "2026-01-01"]);

  await go(page, "students");
  await page.fill("#search", "asha");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("#students-rows tr").length === 1);
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll("#students-rows tr").length === 1);
  assert.equal(await page.inputValue("#search"), "asha");
  await page.fill("#search", "");
});

test("one long name breaks no table", async () => {
  await call("POST", "/students/", { name: LONG, roll_number: "W".repeat(48) });
  for (const viewport of [LAPTOP, { width: 1024, height: 768 }, PHONE]) {
    await page.setViewportSize(viewport);
    await go(page, "log");
    await go(page, "students");
    await page.locator("#students-rows tr").nth(1).waitFor();
    assert.ok(!(await scrollsSideways(page)), `the page scrolls sideways at ${viewport.width}`);
    const wide = await page.evaluate(() => {
      const table = document.querySelector("#page-students .scroll");
      return table.scrollWidth - table.clientWidth;
    });
    assert.ok(wide <= 1, `the table is ${wide} pixels too wide at ${viewport.width}`);
    await picture(page, `long-name-${viewport.width}`);
  }
  await page.setViewportSize(LAPTOP);
});

test("two records of one person stand side by side and are merged with both names in sight", async () => {
  await enrol("hopper", "Grace Hopper", "H-1");
  const again = await enrol("hopper", "Grace M. Hopper", "H-2");
  await call("POST", `/attendance/mark?student_id=${again}`, {});
  await go(page, "live");
  await go(page, "students");
  const pair = page.locator("#twice-pairs li");
  await pair.filter({ hasText: "Grace Hopper" }).filter({ hasText: "Grace M. Hopper" }).waitFor();
  await pair.getByRole("button").click();
  const what = page.locator("#merge-what");
  assert.match(await what.textContent(), /^Grace M\. Hopper \(H-2\) is erased\. .* those of Grace Hopper \(H-1\)\.$/);
  await page.check("#merge-kept-1");
  assert.match(await what.textContent(), /^Grace Hopper \(H-1\) is erased/);
  await page.check("#merge-kept-0");
  assert.deepEqual(await barriers(page, "a merge"), []);
  await picture(page, "laptop-merge");
  await page.click("#merge-yes");
  const note = page.locator("#students-note");
  await note.filter({ hasText: "Grace M. Hopper (H-2) was merged into Grace Hopper (H-1)." }).waitFor();
  await page.waitForFunction(() => document.getElementById("twice").hidden);
  const rows = await call("GET", "/attendance/?limit=100");
  assert.equal(rows.items.filter((row) => row.student_name === "Grace Hopper").length, 1);

  // Faces that tell nothing: an admin names the other record by its roll number.
  const bare = await call("POST", "/students/", { name: "Grace H.", roll_number: "H-3" });
  await go(page, "log");
  await go(page, "students");
  await choose(page, "Merge with another record", "Grace Hopper");
  await page.fill("#merge-roll", "H-3");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#merge-choices:not([hidden])");
  await page.click("#merge-yes");
  await note.filter({ hasText: "Grace H. (H-3) was merged into" }).waitFor();
  assert.ok(bare.data.student_id > again);
});

test("the receipt of an erasure can be had again from the log", async () => {
  const gone = await call("POST", "/students/", { name: "Gone", roll_number: "X-1" });
  await call("DELETE", `/students/${gone.data.student_id}`);
  await go(page, "log");
  const receipt = page.getByRole("button", { name: `Receipt of the erasure: student ${gone.data.student_id}` });
  const [file] = await Promise.all([page.waitForEvent("download"), receipt.click()]);
  const told = JSON.parse(readFileSync(await file.path(), "utf8"));
  assert.equal(told.student_id, gone.data.student_id);
  assert.deepEqual([told.erased_by, typeof told.erased_at], ["admin", "string"]);
  assert.match(told.erased, /^0 templates, 0 liveness sessions and 0 marks deleted/);
});

test("a login that could not be renewed says so, and leads back to where one was", async () => {
  await go(page, "attendance");
  await page.selectOption("#status", "Present");
  await page.click("#attendance-form button[type=submit]");
  await page.evaluate(() => {
    sessionStorage.setItem("faceattend.token", "worn out");
    sessionStorage.setItem("faceattend.renewal", "worn out too");
  });
  await page.click("#attendance-form button[type=submit]");
  await page.waitForSelector("#page-login:not([hidden])");
  await page.locator("#login-note", { hasText: "Your login has ended and could not be renewed." }).waitFor();
  await picture(page, "laptop-login-ended");
  await logIn(page);
  await page.waitForSelector("#page-attendance:not([hidden])");
  await page.locator("#attendance-rows tr").first().waitFor();
  assert.equal(await page.inputValue("#status"), "Present");
  // Who logs out oneself is told nothing.
  await page.click("#logout");
  await page.waitForSelector("#page-login:not([hidden])");
  assert.equal(await page.textContent("#login-note"), "");
});
