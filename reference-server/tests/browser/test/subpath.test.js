// The pages under a path of their host, as a proxy publishes them that leaves the path as it is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { go, launch, logIn, open } from "../src/browser.js";
import { startServer } from "../src/server.js";

let browser;
let server;

before(async () => {
  server = await startServer({ more: ["--base-path", "/school/attendance"] });
  if (server.folder) browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("every page, the live events and the document work under the path", async (t) => {
  if (!server.folder) return t.skip("the server is not the tests' own");
  const url = `${server.url}/school/attendance`;
  const page = await open(browser, url);
  const outside = [];
  page.on("request", (request) => {
    // ReDoc asks its maker's host for a logo, which the page's policy refuses.
    const { origin, pathname, protocol } = new URL(request.url());
    const isOurs = origin === server.url && protocol === "http:";
    if (isOurs && !pathname.startsWith("/school/attendance/")) outside.push(pathname);
  });
  await logIn(page);
  for (const name of ["attendance", "second-look", "students", "accounts", "log", "live"]) await go(page, name);
  await page.waitForFunction(() => document.getElementById("health-events").textContent === "Connected");
  assert.equal(await page.textContent("#health-server"), "Well");
  assert.deepEqual(page.problems, []);

  await page.goto(`${url}/docs`);
  await page.locator(".opblock").first().waitFor();
  assert.equal(await page.locator(".servers option").first().getAttribute("value"), "/school/attendance");
  await page.goto(`${url}/redoc`);
  await page.getByText("Face Attendance", { exact: false }).first().waitFor();
  assert.deepEqual(outside, []);
});
