// Keeps the shell of the kiosk's page, so that it opens without the network and says so. Never an answer of the API,
// and nobody's data.
const SHELL = "faceattend-kiosk-shell-1";
const HOME = new URL("./", self.location);
const KEPT = [
  "kiosk",
  "kiosk/kiosk.css",
  "kiosk/kiosk.js",
  "kiosk/eye.js",
  "kiosk/greeting.js",
  "kiosk/link.js",
  "kiosk/voice.js",
  "camera.js",
  "text.js",
  "ui.js",
  "icon.svg",
  "kiosk.webmanifest",
  "text.en.json",
];
const LANGUAGE = /^text\.[a-z]+\.json$/;

// The name of a file of the shell; null for everything else.
function nameOf(address) {
  const url = new URL(address);
  if (url.origin !== HOME.origin || !url.pathname.startsWith(HOME.pathname)) return null;
  const name = url.pathname.slice(HOME.pathname.length);
  return KEPT.includes(name) || LANGUAGE.test(name) ? name : null;
}

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(SHELL);
    await cache.addAll(KEPT.map((name) => new URL(name, HOME)));
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("faceattend-kiosk-") && name !== SHELL);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

// The server first: a new version of it is a new version of its page.
async function answer(request, name) {
  const cache = await caches.open(SHELL);
  const key = new URL(name, HOME);
  try {
    const fresh = await fetch(request);
    if (fresh.ok && !fresh.redirected) await cache.put(key, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const name = event.request.method === "GET" ? nameOf(event.request.url) : null;
  if (name !== null) event.respondWith(answer(event.request, name));
});
