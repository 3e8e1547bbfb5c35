// A tablet on the site's network: Chromium on another machine gives its camera to the pages of a server with
// `--tls self-signed`, and to no page in plain text.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { barriers, go, launch, logIn, open, picture } from "../src/browser.js";
import { HERE, connectElsewhere } from "../src/elsewhere.js";
import { Camera } from "../src/person.js";
import { watchStreams } from "../src/registration.js";
import { startServer } from "../src/server.js";

const PASSWORD = "of the tablet's test";
const CERTUTIL = "/usr/bin/certutil";

let network;
let camera;
let plain;
let encrypted;
let why;

// Beyond loopback a server wants another password than the documented one.
const prepare = (program, folder) => {
  const env = { ...process.env, FACEATTEND_NEW_PASSWORD: PASSWORD };
  execFileSync(program, ["admin", "passwd", "--data-dir", folder], { stdio: "pipe", env });
};

before(async () => {
  if (process.env.FACEATTEND_URL) {
    why = "the server is not the tests' own";
    return;
  }
  network = connectElsewhere();
  why = network.missing;
  if (why) return;
  camera = new Camera();
  plain = await startServer({ prepare, more: ["--host", HERE] });
  encrypted = await startServer({ prepare, more: ["--host", HERE, "--tls", "self-signed"] });
});

after(async () => {
  await plain?.stop();
  await encrypted?.stop();
  camera?.close();
  network?.remove?.();
});

const certificate = (name) => new X509Certificate(readFileSync(join(encrypted.folder, name)));

// Chromium on the other machine, which takes this server's certificate and no other that is not vouched for.
function browserElsewhere(options = {}) {
  const key = certificate("tls-server.crt").publicKey.export({ type: "spki", format: "der" });
  const spki = createHash("sha256").update(key).digest("base64");
  const more = [`--ignore-certificate-errors-spki-list=${spki}`];
  return launch(camera.path, { elsewhere: network.elsewhere, more, ...options });
}

// Whether a live track comes from the camera once `start` is pressed on the page `name`.
async function givesItsCamera(page, name, start) {
  await watchStreams(page);
  await go(page, name);
  await page.click(`#${start}`);
  await page.waitForFunction(
    () => window.streams.some((stream) => stream.getVideoTracks().some((track) => track.readyState === "live")),
  );
}

test("a page in plain text gets no camera on another machine", async (t) => {
  if (why) return t.skip(why);
  const browser = await browserElsewhere();
  try {
    const page = await open(browser, plain.url);
    await logIn(page, "admin", PASSWORD);
    assert.equal(await page.evaluate(() => isSecureContext), false);
    assert.equal(await page.evaluate(() => typeof navigator.mediaDevices), "undefined");
    await go(page, "register");
    await page.fill("#student-name", "Asha");
    await page.fill("#student-roll", "R1");
    await page.click("#register-start");
    await page.waitForFunction(() => document.getElementById("app").textContent.includes("only to https:// pages"));
    // The page says what to do.
    await go(page, "devices");
    await page.waitForSelector("#devices-plain:not([hidden])");
    assert.match(await page.textContent("#devices-command"), /--tls self-signed/);
  } finally {
    await browser.close();
  }
});

test("a page over the server's own TLS gets the camera, to register and as a kiosk", async (t) => {
  if (why) return t.skip(why);
  const browser = await browserElsewhere();
  try {
    // As somebody types it: without a scheme, which a browser takes for plain HTTP.
    const page = await open(browser, encrypted.url.replace("https:", "http:"));
    assert.ok(page.url().startsWith(`${encrypted.url}/ui/`), page.url());
    assert.equal(await page.evaluate(() => isSecureContext), true);
    await logIn(page, "admin", PASSWORD);
    await go(page, "register");
    await page.fill("#student-name", "Asha");
    await page.fill("#student-roll", "R1");
    await givesItsCamera(page, "register", "register-start");
    await givesItsCamera(page, "live", "browser-start");
    // Files come over HTTP/2, the events over a WebSocket beside it.
    const spoken = await page.evaluate(() => {
      return performance.getEntriesByType("resource").map((entry) => entry.nextHopProtocol);
    });
    assert.ok(spoken.includes("h2"), spoken.join(" "));
    await page.waitForFunction(() => document.getElementById("health-events").textContent === "Connected");
    assert.deepEqual(page.problems, []);
  } finally {
    await browser.close();
  }
});

test("the page of devices shows the address to scan and the authority to trust", async (t) => {
  if (why) return t.skip(why);
  const browser = await browserElsewhere();
  try {
    const page = await open(browser, encrypted.url);
    await logIn(page, "admin", PASSWORD);
    await go(page, "devices");
    await page.waitForSelector("#devices-trust:not([hidden])");
    assert.equal(await page.textContent("#devices-address"), `${encrypted.url}/ui/`);
    assert.ok(await page.evaluate(() => document.getElementById("devices-picture").naturalWidth > 0), "no QR code");
    assert.equal(await page.textContent("#devices-fingerprint"), certificate("tls-authority.crt").fingerprint256);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#devices-authority")]);
    const given = new X509Certificate(readFileSync(await download.path()));
    assert.equal(given.fingerprint256, certificate("tls-authority.crt").fingerprint256);
    assert.deepEqual(await barriers(page, "devices"), []);
    await picture(page, "devices-self-signed");
    assert.deepEqual(page.problems, []);
  } finally {
    await browser.close();
  }
});

test("a device that trusts the authority gets no warning, and another one does", async (t) => {
  if (why) return t.skip(why);
  const stranger = await launch(camera.path, { elsewhere: network.elsewhere });
  try {
    await assert.rejects(open(stranger, encrypted.url), /ERR_CERT_AUTHORITY_INVALID/);
  } finally {
    await stranger.close();
  }
  if (!existsSync(CERTUTIL)) return t.skip(`the rest needs ${CERTUTIL} (libnss3-tools)`);
  const home = join(network.folder, "home");
  const store = join(home, ".pki/nssdb");
  mkdirSync(store, { recursive: true });
  const database = ["-d", `sql:${store}`];
  execFileSync(CERTUTIL, ["-N", ...database, "--empty-password"], { stdio: "pipe" });
  const authority = join(encrypted.folder, "tls-authority.crt");
  execFileSync(CERTUTIL, ["-A", ...database, "-n", "school", "-t", "C,,", "-i", authority], { stdio: "pipe" });
  const browser = await launch(camera.path, { elsewhere: network.elsewhere, env: { HOME: home } });
  try {
    const page = await open(browser, encrypted.url);
    await logIn(page, "admin", PASSWORD);
    await go(page, "register");
    await page.fill("#student-name", "Asha");
    await page.fill("#student-roll", "R1");
    await givesItsCamera(page, "register", "register-start");
  } finally {
    await browser.close();
  }
});
