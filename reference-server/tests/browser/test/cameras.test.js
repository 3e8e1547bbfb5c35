// The cameras that are kept: added after a look at the picture, edited, paused and removed; and the first steps of a
// new server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, barriers, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { NetworkCamera } from "../src/network-camera.js";
import { startServer } from "../src/server.js";

let browser;
let server;
let camera;
let page;

before(async () => {
  server = await startServer();
  if (!server.folder) return;
  camera = await new NetworkCamera().start();
  browser = await launch();
  page = await open(browser, server.url);
  await logIn(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  camera?.stop();
});

const note = (id, text) => page.waitForFunction(
  ([of, start]) => document.getElementById(of).textContent.startsWith(start), [id, text],
);
const cells = (line = 0) => page.locator("#kept tr").nth(line).locator("td").allTextContents();
const focused = () => page.evaluate(() => {
  const { activeElement } = document;
  return activeElement.getAttribute("aria-label") ?? activeElement.id;
});
const untilWatched = async (count) => {
  for (let turn = 0; camera.watchers !== count; turn += 1) {
    assert.ok(turn < 200, `${camera.watchers} watch it`);
    await page.waitForTimeout(50);
  }
};

test("the first steps say what is left, and a step that is put off stays so", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await page.locator("#first-run:not([hidden])").waitFor();
  const steps = () => page.locator("#first-run-steps li").allTextContents();
  assert.equal((await steps()).length, 5);
  assert.match((await steps())[1], /Check the time zone: UTC, where it is .* \(done\)$/, "--time-zone names it");
  await picture(page, "desktop-light-first-run");
  assert.deepEqual(await barriers(page, "first steps"), []);
  await page.getByRole("button", { name: /^Later: Give the account admin/ }).click();
  assert.equal(await focused(), "first-run-title");
  await page.reload();
  await page.locator("#first-run:not([hidden])").waitFor();
  assert.match((await steps())[0], /\(later\)$/);
});

test("a camera is tried before it is saved, by the keyboard, and its password is nowhere shown", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await go(page, "cameras");
  assert.equal(await page.textContent("#kept-none"), "No camera is kept yet.");
  await page.locator("#kept-add").focus();
  await page.keyboard.press("Enter");
  await page.locator("#camera-dialog[open]").waitFor();
  assert.equal(await focused(), "kept-name", "the form begins at its first field");
  await page.keyboard.type("Main gate");
  await page.keyboard.press("Tab");
  await page.keyboard.type(camera.address);
  await page.keyboard.press("Tab");
  await page.keyboard.type("viewer");
  await page.keyboard.press("Tab");
  await page.keyboard.type("wrong");
  await page.click("#camera-test");
  await page.waitForFunction(() => {
    const note = document.getElementById("camera-note").textContent;
    return /refuses the user name or the password/.test(note);
  });
  assert.ok(await page.locator("#camera-picture").isHidden());
  await page.fill("#kept-password", "S3CRET");
  assert.equal(await page.textContent("#camera-note"), "", "what was tried is no longer what the form says");
  await page.fill("#kept-camera_location", "Gate 1");
  await page.click("#camera-test");
  await note("camera-note", "It works: ");
  assert.match(await page.textContent("#camera-note"), /\d+ × \d+, [\d.]+ pictures a second/);
  assert.ok(await page.evaluate(() => document.getElementById("camera-picture").naturalWidth > 100));
  await picture(page, "desktop-light-camera-dialog");
  assert.deepEqual(await barriers(page, "camera dialog"), []);
  assert.equal(camera.watchers, 0, "nothing is watched yet");
  await page.click("#camera-save");
  await note("kept-note", "Main gate is kept and watched.");
  await untilWatched(1);
  await page.waitForFunction(() => /running, [\d.]+ pictures/.test(document.querySelector("#kept tr").textContent));
  const [name, place] = await cells();
  assert.equal(name, `Main gate${camera.address.replace("//", "//viewer:***@")}`);
  assert.equal(place, "Gate 1");
  await picture(page, "desktop-light-cameras");
  assert.deepEqual(await barriers(page, "cameras"), []);
  assert.ok(!(await page.content()).includes("S3CRET"));
  await go(page, "live");
  await page.locator("#cameras tr strong, #cameras tr td", { hasText: "Main gate" }).first().waitFor();
});

test("a camera is edited without its password, paused, resumed and removed", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await go(page, "cameras");
  await page.getByRole("button", { name: "More: Main gate" }).click();
  await page.getByRole("button", { name: "Edit Main gate" }).click();
  await page.locator("#camera-dialog[open]").waitFor();
  assert.equal(await page.inputValue("#kept-password"), "");
  await page.fill("#kept-name", "North gate");
  await page.click("#camera-dialog summary");
  await page.selectOption("#kept-orientation", "90");
  await page.click("#camera-test");
  await note("camera-note", "It works: ");
  await page.click("#camera-save");
  await note("kept-note", "North gate is saved.");
  await page.waitForFunction(() => /turned by 90°/.test(document.querySelector("#kept tr").textContent));
  await untilWatched(1);

  const pause = page.getByRole("button", { name: "Pause North gate" });
  await pause.focus();
  await page.keyboard.press("Enter");
  await note("kept-note", "North gate is paused.");
  await untilWatched(0);
  assert.equal(await focused(), "Resume North gate", "the focus stays on the button");
  assert.match((await cells())[3], /^pausedsince .*, by admin$/);
  await page.keyboard.press("Enter");
  await note("kept-note", "North gate is watched again.");
  await untilWatched(1);

  const remove = async (answer) => {
    await page.getByRole("button", { name: "More: North gate" }).click();
    await page.getByRole("button", { name: "Remove North gate" }).click();
    await page.locator("#confirm[open]").waitFor();
    await page.getByRole("button", { name: answer, exact: true }).click();
  };
  await remove("Keep");
  assert.equal(await page.locator("#kept tr").count(), 1);
  await remove("Remove");
  await note("kept-note", "North gate is removed.");
  await page.locator("#kept-none").waitFor();
  await untilWatched(0);
  assert.deepEqual(page.problems, []);
});

test("two cameras with one name are refused where they are typed", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  const add = async (name, address) => {
    await page.click("#kept-add");
    await page.fill("#kept-name", name);
    await page.fill("#kept-camera_url", address);
    await page.click("#camera-save");
  };
  await add("Hall", "http://127.0.0.1:1/hall.mjpeg");
  await note("kept-note", "Hall is kept");
  await add("HALL", "http://127.0.0.1:1/other.mjpeg");
  await note("camera-note", "A camera with this name");
  await page.click("#camera-cancel");
  await page.waitForFunction(() => document.querySelector("#kept tr .bad")?.textContent.startsWith("failed: "));
  page.problems = page.problems.filter((problem) => !problem.includes("409"));
});

test("the page fits a phone and a small screen, and a viewer only looks", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  const looks = [
    ["phone-dark-de", { viewport: PHONE, hasTouch: true, colorScheme: "dark", locale: "de-DE" }],
    ["tablet-light-de", { viewport: { width: 1024, height: 768 }, locale: "de-DE" }],
    ["desktop-800-light-en", { viewport: { width: 1280, height: 800 } }],
  ];
  for (const [name, look] of looks) {
    const visitor = await open(browser, server.url, look);
    await logIn(visitor);
    await go(visitor, "cameras");
    await visitor.locator("#kept tr").first().waitFor();
    assert.equal(await scrollsSideways(visitor), false, name);
    await picture(visitor, `${name}-cameras`);
    assert.deepEqual(await barriers(visitor, name), []);
    await visitor.click("#kept-add");
    await visitor.locator("#camera-dialog[open]").waitFor();
    await visitor.click("#camera-dialog summary");
    await picture(visitor, `${name}-camera-dialog`);
    assert.deepEqual(await barriers(visitor, `${name} dialog`), []);
    await visitor.context().close();
  }
  await page.evaluate(async () => {
    const { post } = await import(new URL("api.js", document.querySelector("script").src));
    await post("/auth/users", { username: "eva", password: "correct horse", role: "viewer" });
  });
  const viewer = await open(browser, server.url);
  await logIn(viewer, "eva", "correct horse");
  await go(viewer, "cameras");
  await viewer.locator("#kept tr").first().waitFor();
  assert.equal(await viewer.locator("#page-cameras button:visible").count(), 0);
  assert.ok(await viewer.locator("#first-run").isHidden(), "first steps are for admins");
});
