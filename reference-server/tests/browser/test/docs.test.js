// Swagger UI and ReDoc, as the server sends them: they work, and they load nothing from anywhere else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, launch, picture } from "../src/browser.js";
import { startServer } from "../src/server.js";

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// A page of its own. `problems` is what went wrong in it, `answered` who answered its requests.
async function open(path) {
  const context = await browser.newContext({ viewport: DESKTOP });
  const page = await context.newPage();
  [page.problems, page.answered] = [[], []];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("requestfinished", (request) => page.answered.push(request.url()));
  await page.goto(`${server.url}${path}`);
  return page;
}

function assertWhole(page) {
  assert.deepEqual(page.problems, []);
  const elsewhere = page.answered.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(server.url));
  assert.deepEqual(elsewhere, []);
}

async function token() {
  const login = { username: "admin", password: "admin123" };
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(login) };
  const answer = await fetch(`${server.url}/api/v1/auth/login`, request);
  return (await answer.json()).access_token;
}

// Opens an operation of Swagger UI, tries it as it stands there, and returns the status of the answer.
async function attempt(page, operation) {
  const block = page.locator(`[id="operations-${operation}"]`);
  await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").click();
  await block.locator(".btn.execute").click();
  const status = block.locator(".live-responses-table tbody .response-col_status").first();
  await status.waitFor();
  return Number.parseInt(await status.innerText(), 10);
}

test("Swagger UI authorizes with a token and tries an endpoint", async () => {
  const page = await open("/docs");
  await page.waitForSelector(".opblock");
  assert.ok(await page.locator(".opblock").count() > 40);
  const me = "Accounts-get_api_v1_auth_me";
  assert.equal(await attempt(page, me), 401);
  await page.click(".auth-wrapper .btn.authorize");
  await page.fill(".modal-ux input", await token());
  await page.click(".modal-ux .btn.authorize");
  await page.click(".modal-ux .btn-done");
  await page.locator(`[id="operations-${me}"] .btn.execute`).click();
  const told = () => document.querySelector(".live-responses-table")?.innerText.includes('"role": "admin"');
  await page.waitForFunction(told);
  assert.equal(await attempt(page, "Students-get_api_v1_students"), 200);
  await picture(page, "swagger-ui");
  assertWhole(page);
});

test("ReDoc shows the document and searches it", async () => {
  const page = await open("/redoc");
  await page.waitForSelector("input");
  await page.fill("input", "student");
  await page.waitForSelector("[data-role='search:results'] li");
  assert.match(await page.locator("[data-role='search:results']").innerText(), /Creates a student/);
  await picture(page, "redoc");
  assertWhole(page);
});
