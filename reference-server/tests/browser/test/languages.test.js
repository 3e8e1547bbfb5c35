// The pages in languages beside English and German: chosen by the browser or by the menu, from the right to the left
// where they are read so, with names of every direction in them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, barriers, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { fill } from "../src/database.js";
import { startServer } from "../src/server.js";

const WIDE = { width: 1440, height: 900 };
const NAMES = ["English", "Deutsch", "Español", "Français", "हिन्दी", "العربية"];
// Rows of the database, so that every page has something to show. The signs at a name's end move where a sentence runs
// the other way.
const SCHEMA = 14;
const TODAY = new Date().toISOString().slice(0, 10);
const JOINED = "2026-01-01";
const AT = { created_at: `${JOINED}T08:00:00Z`, created_by: "admin" };
const PEOPLE = [["Grace Hopper (Navy)", "17/B"], ["محمد عبد الله", "R-2"], ["अनिता शर्मा", "R-3"], ["Zoë (2)", "R-4"]];
const PERIODS = JSON.stringify([{ name: "morning", begins: "00:00:00", late_after: "00:01:00" }]);
const mark = (id, time, status) => ({
  id, student_id: id, timestamp: `${TODAY}T${time}Z`, status, created_at: `${TODAY}T${time}Z`, local_day: TODAY,
  period: "morning",
});
const ROWS = [
  ...PEOPLE.map(([name, roll], at) => ["students", {
    id: at + 1, name, roll_number: roll, created_at: AT.created_at,
  }]),
  ["attendance_log", mark(1, "00:00:30", "Present")],
  ["attendance_log", mark(2, "00:05:00", "Late")],
  ["attendance_log", mark(3, "00:00:40", "Present")],
  ["student_groups", { id: 1, name: "7A (North)", name_key: "7a (north)", kind: "class", ...AT }],
  ["student_groups", { id: 2, name: "الصف السابع", name_key: "الصف السابع", kind: "class", ...AT }],
  ...[1, 2, 3, 4].map((id) => ["group_members", {
    id, group_id: id % 2 ? 1 : 2, student_id: id, from_day: JOINED, ...AT,
  }]),
  ["timetables", { id: 1, valid_from: JOINED, weekdays: "mon tue wed thu fri sat sun", periods: PERIODS, ...AT }],
];

let browser;
let server;

before(async () => {
  server = await startServer({ prepare: (program, folder) => fill(program, folder, ROWS, SCHEMA) });
  if (server.folder) browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const withDatabase = (name, body) => test(name, async (context) => {
  if (!server.folder) return context.skip("another server's database is not ours to fill");
  await body();
});
const root = (page) => page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);
const text = (page, id) => page.textContent(`#${id}`);

withDatabase("the browser's language is spoken at first, and the menu calls each by its own name", async () => {
  const wanted = [
    [["es-MX"], ["es", "ltr"], "Iniciar sesión"],
    [["fr-CA"], ["fr", "ltr"], "Connexion"],
    [["hi-IN"], ["hi", "ltr"], "लॉग इन"],
    [["ar-EG"], ["ar", "rtl"], "تسجيل الدخول"],
    [["it-IT"], ["en", "ltr"], "Log in"],
  ];
  for (const [[locale], expected, title] of wanted) {
    const page = await open(browser, server.url, { locale });
    assert.deepEqual(await root(page), expected, locale);
    assert.equal(await text(page, "login-title"), title);
    assert.deepEqual(await page.locator("#language option").allTextContents(), NAMES);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});

withDatabase("another language keeps what is typed, is remembered, and turns the pages around", async () => {
  const page = await open(browser, server.url);
  await page.fill("#username", "admin");
  await page.selectOption("#language", "ar");
  await page.waitForFunction(() => document.documentElement.dir === "rtl");
  assert.equal(await page.inputValue("#username"), "admin");
  await page.fill("#password", "admin123");
  await page.click("#login-submit");
  await page.waitForSelector("#nav:not([hidden])");
  await go(page, "register");
  await page.fill("#student-name", "ليلى");
  await page.fill("#student-roll", "R-4");
  await page.selectOption("#order", "nods");
  await page.selectOption("#language", "fr");
  await page.waitForFunction(() => document.getElementById("register-title").textContent === "Inscrire un élève");
  assert.deepEqual(await root(page), ["fr", "ltr"]);
  const typed = await page.evaluate(() => ["student-name", "student-roll", "order"].map((id) => {
    return document.getElementById(id).value;
  }));
  assert.deepEqual(typed, ["ليلى", "R-4", "nods"]);
  assert.equal(await page.evaluate(() => document.activeElement.id), "language");
  // What is written in the list and not yet asked for.
  await go(page, "students");
  await page.fill("#search", "hopp");
  await page.selectOption("#language", "ar");
  await page.waitForFunction(() => document.documentElement.lang === "ar");
  await page.waitForLoadState("networkidle");
  assert.equal(await page.inputValue("#search"), "hopp");
  await page.reload();
  await page.waitForSelector("#page-students:not([hidden])");
  assert.deepEqual(await root(page), ["ar", "rtl"]);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

withDatabase("names of both directions stand whole, on the side of their column", async () => {
  const page = await open(browser, server.url, { locale: "ar-EG", viewport: WIDE });
  await logIn(page);
  await go(page, "attendance");
  await page.locator("#attendance-rows tr").nth(2).waitFor();
  // Where a sign of a text stands on the screen.
  const at = (selector, sign) => page.evaluate(([where, wanted]) => {
    const walker = document.createTreeWalker(document.querySelector(where), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const found = node.data.indexOf(wanted);
      if (found < 0) continue;
      const range = document.createRange();
      range.setStart(node, found);
      range.setEnd(node, found + 1);
      return range.getBoundingClientRect().left;
    }
    return null;
  }, [selector, sign]);
  const row = "#attendance-rows tr:has([role=cell]:nth-child(2) bdi):last-child";
  assert.ok((await at(row, "(")) < (await at(row, ")")), "the brackets of a Latin name");
  assert.ok((await at(row, "17")) < (await at(row, "/")) && (await at(row, "/")) < (await at(row, "B")));
  const ends = await page.evaluate(() => [...document.querySelectorAll("#attendance-rows tr")].map((line) => {
    return Math.round(line.querySelector("bdi").getBoundingClientRect().right);
  }));
  assert.equal(new Set(ends).size, 1, `the names end at ${ends}`);
  // The same names in a page that runs from the left.
  await page.selectOption("#language", "en");
  await page.waitForFunction(() => document.documentElement.dir === "ltr");
  await go(page, "students");
  await page.locator("#students-rows tr").nth(2).waitFor();
  const name = await page.locator("#students-rows tr", { hasText: "محمد" }).getByRole("button").first();
  assert.equal(await name.getAttribute("aria-label"), "Mark: as present today: \u2068محمد عبد الله\u2069");
  await page.context().close();
});

withDatabase("left and right are the person's own in every language", async () => {
  const page = await open(browser, server.url, { locale: "ar" });
  await logIn(page);
  await go(page, "register");
  const steps = await page.evaluate(() => ["center", "left", "right"].map((position) => {
    return document.getElementById(`step-${position}`).getBoundingClientRect().left;
  }));
  assert.ok(steps[0] < steps[1] && steps[1] < steps[2], `the steps stand at ${steps}`);
  // The zone that the ring shows for a turn to the left lies on the left of the picture.
  const zone = await page.evaluate(async () => {
    const { Ring } = await import(new URL("ring.js", document.querySelector("script").src));
    const svg = document.getElementById("ring");
    new Ring(svg).aim([-90, -15], 0);
    const [around, drawn] = [svg, svg.querySelector(".zone")].map((part) => part.getBoundingClientRect());
    return drawn.right < around.left + around.width / 2;
  });
  assert.ok(zone);
  await page.context().close();
});

withDatabase("digits are those of the region, days those of one calendar", async () => {
  const said = async (locale) => {
    const page = await open(browser, server.url, { locale });
    const shown = await page.evaluate(async () => {
      const { date, number } = await import(new URL("text.js", document.querySelector("script").src));
      return [number(1234), date("2026-11-29T12:00:00")];
    });
    await page.context().close();
    return shown;
  };
  const [egypt, morocco, riyadh, india] = await Promise.all(["ar-EG", "ar-MA", "ar-SA", "hi-IN"].map(said));
  assert.match(egypt[0], /^١.?٢٣٤$/);
  assert.match(egypt[1], /٢٠٢٦/);
  assert.match(morocco[0], /^1.?234$/);
  assert.match(morocco[1], /2026/);
  assert.match(riyadh[1], /٢٠٢٦/, "the days of the register are Gregorian");
  assert.match(india[1], /नव.* 2026/);
});

// Every page of the document, looked at: what shuts somebody out, and what is wider than the screen.
async function everyPage(visitor, name) {
  const found = await barriers(visitor, "login");
  await picture(visitor, `${name}-login`);
  await logIn(visitor);
  const pages = await visitor.evaluate(() => {
    return [...document.querySelectorAll("main > section[id^=page-]")].map(({ id }) => id.replace("page-", ""));
  });
  assert.ok(pages.length >= 9, pages.join());
  for (const page of pages.filter((one) => one !== "login")) {
    await go(visitor, page === "person" ? "person/1" : page);
    await visitor.waitForTimeout(300);
    found.push(...(await barriers(visitor, page)));
    if (await scrollsSideways(visitor)) found.push(`${page} scrolls sideways`);
    // A sentence that is missing would show its key.
    const untold = await visitor.evaluate(async () => {
      const keys = Object.keys(await (await fetch("text.en.json")).json()).filter((key) => key.includes("."));
      return keys.filter((key) => document.body.innerText.includes(key));
    });
    if (untold.length > 0) found.push(`${page} shows ${untold}`);
    await picture(visitor, `${name}-${page}`);
  }
  return found;
}

for (const [name, viewport] of [["desktop", WIDE], ["phone", PHONE]]) {
  withDatabase(`no page from the right to the left shuts anybody out: ${name}`, async () => {
    const visitor = await open(browser, server.url, { locale: "ar-EG", viewport, hasTouch: name === "phone" });
    assert.deepEqual(await everyPage(visitor, `${name}-light-ar`), []);
    assert.deepEqual(await root(visitor), ["ar", "rtl"]);
    // A menu opens below its button and stays on the screen.
    await go(visitor, "students");
    const opener = visitor.locator("#students-rows .menu-of > button").first();
    await opener.click();
    const menu = await visitor.locator(".menu:popover-open").boundingBox();
    const button = await opener.boundingBox();
    assert.ok(menu.x >= 0 && menu.x + menu.width <= viewport.width, `the menu is at ${menu.x}`);
    assert.ok(menu.x <= button.x && button.x + button.width <= menu.x + menu.width + 1, "the menu is elsewhere");
    assert.deepEqual(await barriers(visitor, "menu"), []);
    await picture(visitor, `${name}-light-ar-menu`);
    assert.deepEqual(visitor.problems, []);
    await visitor.context().close();
  });
}

for (const locale of ["hi-IN", "es-MX", "fr-FR"]) {
  withDatabase(`the pages fit their words: ${locale}`, async () => {
    const visitor = await open(browser, server.url, { locale, viewport: PHONE, hasTouch: true });
    assert.deepEqual(await everyPage(visitor, `phone-light-${locale.slice(0, 2)}`), []);
    assert.deepEqual(visitor.problems, []);
    await visitor.context().close();
  });
}
