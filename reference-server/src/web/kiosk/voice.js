// A tone and a spoken word, where the kiosk is set so.
import { chosen } from "../text.js";

let audio = null;

// A browser lets a page sound once somebody has touched it.
export function wake() {
  audio ??= "AudioContext" in window ? new AudioContext() : null;
  audio?.resume().catch(() => {});
}

// Two short notes upwards for a welcome, downwards for what needs a person.
export function sound(good) {
  if (audio?.state !== "running") return;
  for (const [at, pitch] of (good ? [660, 880] : [440, 330]).entries()) {
    const [note, loud] = [audio.createOscillator(), audio.createGain()];
    const begins = audio.currentTime + at * 0.14;
    note.frequency.value = pitch;
    loud.gain.setValueAtTime(0, begins);
    loud.gain.linearRampToValueAtTime(0.2, begins + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.001, begins + 0.22);
    note.connect(loud).connect(audio.destination);
    note.start(begins);
    note.stop(begins + 0.25);
  }
}

// With a voice of this tablet only: others send the text, and a child's name, away.
export function say(text) {
  if (!("speechSynthesis" in window)) return;
  const voice = speechSynthesis.getVoices().find((one) => one.localService && one.lang.startsWith(chosen()));
  if (!voice) return;
  speechSynthesis.cancel();
  speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(text), { voice, lang: voice.lang }));
}
