// Shows whom the server has marked: one person at a time, for some seconds, and nobody's name longer.
import { format, t } from "../text.js";
import { element } from "../ui.js";
import { say, sound } from "./voice.js";

// Long enough to read, and to say "Not me".
const SHOWN_FOR = 6000;
// Where others wait behind.
const SHOWN_AT_LEAST = 2500;
// A greeting that the server repeats is old for as long as the person stands there, and a little longer.
const FORGOTTEN_AFTER = 15_000;
// How long a note of what was done stays.
const NOTE_FOR = 6000;

const KINDS = {
  present: { sign: "\u2713", text: "kiosk.present", nameless: "kiosk.present_nameless", spoken: "kiosk.say.present" },
  late: { sign: "\u25f7", text: "kiosk.late", nameless: "kiosk.present_nameless", spoken: "kiosk.say.late" },
  already: { sign: "\u2713", text: "kiosk.already", nameless: "kiosk.already_nameless", spoken: "kiosk.say.already" },
  goodbye: { sign: "\u2192", text: "kiosk.goodbye", nameless: "kiosk.already_nameless", spoken: "kiosk.say.goodbye" },
  left_early: {
    sign: "\u2192", text: "kiosk.left_early", nameless: "kiosk.already_nameless", spoken: "kiosk.say.goodbye",
  },
  ask: { sign: "!", text: "kiosk.ask", nameless: "kiosk.already_nameless", spoken: "kiosk.say.ask" },
};

// The site's time as the clock above shows it, in the digits of the region.
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" };
export const clockText = (moment) => format("DateTimeFormat", CLOCK).format(moment);
const inDigits = (time) => clockText(new Date(`1970-01-01T${time}Z`));

export class Greetings {
  #seen = new Map();
  #queue = [];
  #shown = null;
  #timer = 0;
  #since = 0;
  // Whether there is a tone and a voice.
  settings = { tone: false, speech: false };

  get shown() { return this.#shown; }

  // Takes in what an answer of the server greets.
  take(greetings) {
    const now = performance.now();
    for (const [id, at] of this.#seen) if (now - at > FORGOTTEN_AFTER) this.#seen.delete(id);
    for (const greeting of greetings) {
      // A greeting may learn its name a moment later.
      const key = `${greeting.greeting_id} ${greeting.kind} ${greeting.name !== null}`;
      const isNew = !this.#seen.has(key);
      this.#seen.set(key, now);
      if (isNew && greeting.kind in KINDS) this.#queue.push(greeting);
    }
    this.#next();
  }

  #next() {
    const waited = performance.now() - this.#since;
    if (this.#queue.length === 0) return;
    if (this.#shown && waited < SHOWN_AT_LEAST) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#next(), SHOWN_AT_LEAST - waited);
      return;
    }
    this.#show(this.#queue.shift());
  }

  #show(greeting) {
    const { sign, text, nameless, spoken } = KINDS[greeting.kind];
    const { name, kind } = greeting;
    const time = inDigits(greeting.time);
    [this.#shown, this.#since] = [greeting, performance.now()];
    element("greeting").className = `greeting ${kind}`;
    element("greeting-sign").textContent = sign;
    element("greeting-name").textContent = name ?? t(nameless);
    element("greeting-status").textContent = t(text, { time });
    element("greeting-status").hidden = name === null;
    element("not-me").hidden = name === null;
    element("greeting").hidden = false;
    element("advice").textContent = "";
    element("heard").textContent = name === null ? t(nameless) : `${name}. ${t(text, { time })}`;
    if (this.settings.tone) sound(kind !== "ask");
    if (this.settings.speech && name !== null) say(t(spoken, { name }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.clear();
      this.#next();
    }, SHOWN_FOR);
  }

  // Nothing of a person stays on the page.
  clear() {
    clearTimeout(this.#timer);
    this.#shown = null;
    element("greeting").hidden = true;
    for (const part of ["greeting-sign", "greeting-name", "greeting-status", "heard"])
      element(part).textContent = "";
  }

  // Clears what is shown and what waits, as before another screen.
  stop() {
    this.#queue = [];
    this.#seen.clear();
    this.clear();
  }

  // Says what was done, in the place of a greeting.
  note(text) {
    this.#queue = [];
    this.clear();
    element("greeting").className = "greeting told";
    element("greeting-name").textContent = text;
    element("greeting-status").hidden = true;
    element("not-me").hidden = true;
    element("greeting").hidden = false;
    element("heard").textContent = text;
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.clear(), NOTE_FOR);
  }
}
