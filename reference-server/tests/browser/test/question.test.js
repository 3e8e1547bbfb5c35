// A kiosk: who stands still is asked for a movement, and marked for it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { barriers, go, launch, logIn, open, picture } from "../src/browser.js";
import { peopleIn } from "../src/people.js";
import { Camera } from "../src/person.js";
import { follow } from "../src/registration.js";
import { startServer } from "../src/server.js";

const RECOGNITION = 90_000;
const QUESTION = /^Grace Hopper, please (turn your head to your (left|right)|look (up|down))\.$/;

let camera;
let browser;
let server;
let people;
let page;

before(async () => {
  server = await startServer({ more: ["--gate-liveness", "ask"] });
  if (!server.folder) return;
  camera = new Camera();
  browser = await launch(camera.path);
  people = await peopleIn(browser);
  page = await open(browser, server.url);
  await logIn(page);
});

after(async () => {
  await browser?.close();
  camera?.close();
  await server?.stop();
});

// What the page says, once it says what `like` matches.
async function said(like) {
  const note = await page.waitForFunction(
    ([source]) => {
      const text = document.getElementById("browser-note").textContent;
      return new RegExp(source).test(text) ? text : null;
    },
    [like.source],
    { timeout: RECOGNITION },
  );
  return note.jsonValue();
}

// Pixels of a strong arrow in the middle of the picture, white or in the color of a face that is not decided.
const arrow = () => page.evaluate(() => {
  const canvas = document.getElementById("browser-canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(width / 3, height / 3, width / 3, height / 3);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i] === 255 && data[i + 1] === 255 && data[i + 2] === 255) count += 1;
  return count;
});

test("who stands still is asked, and marked once the head turns as it was asked to", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await go(page, "register");
  camera.sit(people.hopper);
  await page.fill("#student-name", "Grace Hopper");
  await page.fill("#student-roll", "R-1906");
  await page.click("#register-start");
  await follow(camera, page, "Student embeddings captured and saved successfully");
  camera.leave();

  await go(page, "live");
  await page.click("#browser-start");
  const marked = page.locator("#marks li", { hasText: "Grace Hopper (R-1906)" });
  for (let tries = 0; ; tries += 1) {
    assert.ok(tries < 30, "30 questions without an answer");
    camera.sit(people.hopperMoved);
    const question = await said(QUESTION);
    const side = /left|right/.exec(question)?.[0];
    if (tries === 0) {
      // The first question is looked at, and its five seconds pass.
      await picture(page, "desktop-light-live-question");
      assert.ok((await arrow()) > 300, "an arrow shows where to");
      assert.deepEqual(await barriers(page, "a question"), []);
      assert.equal(await marked.count(), 0, "nobody is marked for standing still");
    } else if (side) {
      camera.turn(side);
      if (await marked.waitFor({ timeout: 15_000 }).then(() => true, () => false)) break;
    }
    // Nobody in these pictures nods, and a busy machine may see the turn too late: another face, another question.
    camera.turn("center");
    camera.leave();
    await said(/^$|No face/);
    await page.waitForTimeout(1500);
  }
  await page.click("#browser-stop");
  assert.deepEqual(page.problems, []);
});
