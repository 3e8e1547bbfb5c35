// Debian's Chromium with the fake camera, and what every test of a page does.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { PICTURES } from "./server.js";

export const DESKTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// The levels that axe gives to what shuts somebody out.
const GRAVE = ["serious", "critical"];

const CHROMIUM = process.env.FACEATTEND_CHROMIUM ?? "/usr/bin/chromium";

// Starts Chromium; with the fake camera, where a test names the file that the camera shows. `elsewhere` gives the
// program that stands for it on another machine, `more` are further arguments, `env` is its environment.
export function launch(camera, { elsewhere = (program) => program, more = [], env } = {}) {
  const shown = `--use-file-for-fake-video-capture=${camera}`;
  const fake = camera ? ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", shown] : [];
  return chromium.launch({
    executablePath: elsewhere(CHROMIUM),
    env: { ...process.env, ...env },
    args: [
      ...more,
      ...fake,
      // Root, as in a container, has no sandbox.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
}

// A page of its own, which keeps what went wrong in it in `page.problems`.
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: DESKTOP,
    locale: "en-GB",
    colorScheme: "light",
    acceptDownloads: true,
    permissions: ["camera"],
    ...options,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  await page.goto(`${url}/ui/`);
  await page.waitForSelector("#app:not([hidden])");
  return page;
}

export async function logIn(page, username = "admin", password = "admin123") {
  await page.fill("#username", username);
  await page.fill("#password", password);
  await page.click("#login-submit");
  await page.waitForSelector("#nav:not([hidden])");
}

export async function go(page, name) {
  await page.evaluate((hash) => { location.hash = hash; }, name);
  await page.waitForSelector(`#page-${name.split(/[/?]/)[0]}:not([hidden])`);
  await page.waitForLoadState("networkidle");
}

// Chooses what stands in the menu of a student's row.
export async function choose(page, what, name, role = "button") {
  await page.getByRole("button", { name: `More: ${name}`, exact: true }).click();
  await page.getByRole(role, { name: `${what}: ${name}`, exact: true }).click();
}

// A picture of the run, to be looked at.
export async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

// What axe finds that shuts somebody out, as lines. The page's policy lets no script in; the browser's own door does.
export async function barriers(page, where) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document);
    return violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.map((node) => `${node.target} ${node.failureSummary}`),
    }));
  });
  return found
    .filter(({ impact }) => GRAVE.includes(impact))
    .map(({ id, impact, nodes }) => `${where}: ${impact} ${id}: ${nodes.join(" | ")}`);
}

export const scrollsSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
