// Whom cameras saw and nobody knows: listed where that is asked for, enrolled with a name, or dismissed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PHONE, barriers, go, launch, logIn, open, picture, scrollsSideways } from "../src/browser.js";
import { MEDIA, startServer } from "../src/server.js";

let browser;
let server;
let page;

// Sends a photograph several times, as a browser's camera does.
async function show(person) {
  const login = { username: "admin", password: "admin123" };
  const headers = { "content-type": "application/json" };
  const post = async (path, body) => {
    const options = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${server.url}/api/v1${path}`, options);
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  };
  headers.authorization = `Bearer ${(await post("/auth/login", login)).access_token}`;
  const { session_id } = await post("/detection/start", { camera_source: "Main gate" });
  const image_data = readFileSync(join(MEDIA, person, "center.jpg")).toString("base64");
  for (let sent = 0; sent < 6; sent += 1) await post("/detection/frame", { image_data, session_id });
  await post("/detection/stop", { session_id });
}

before(async () => {
  // One photograph again and again is no living person, which these tests do not ask for.
  server = await startServer({ more: ["--list-unknown-faces", "12", "--gate-liveness", "off"] });
  if (!server.folder) return;
  await show("hopper");
  await show("collins");
  browser = await launch();
  page = await open(browser, server.url);
  await logIn(page);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const rows = () => page.locator("#unknown-faces-rows tr");

test("an unknown face is enrolled from the list, and another one dismissed", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await go(page, "second-look");
  await rows().nth(1).waitFor();
  assert.equal(await rows().count(), 2);
  assert.match(await rows().nth(0).textContent(), /Main gate/);
  await picture(page, "desktop-light-unknown-faces");
  assert.deepEqual(await barriers(page, "unknown faces"), []);

  await rows().nth(0).getByRole("button", { name: /^Enrol/ }).click();
  await page.fill("#enrol-unknown-name", "Eileen Collins");
  await page.fill("#enrol-unknown-roll", "R1");
  assert.deepEqual(await barriers(page, "enrol an unknown face"), []);
  await page.click("#enrol-unknown-form button[type=submit]");
  await page.waitForFunction(() => document.getElementById("unknown-faces-note").textContent.includes("is enrolled"));
  // The note stands there before the list has come again.
  await page.waitForFunction(() => document.querySelectorAll("#unknown-faces-rows tr").length === 1);
  await rows().nth(0).getByRole("button", { name: /^Dismiss/ }).click();
  await page.waitForSelector("#unknown-faces-none:not([hidden])");
  assert.deepEqual(page.problems, []);
});

test("the list of unknown faces fits a telephone", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  await show("obama");
  const phone = await open(browser, server.url, { viewport: PHONE });
  await logIn(phone);
  await go(phone, "second-look");
  await phone.waitForSelector("#unknown-faces-rows tr");
  assert.equal(await scrollsSideways(phone), false);
  assert.deepEqual(await barriers(phone, "unknown faces on a telephone"), []);
  await picture(phone, "phone-light-unknown-faces");
});
