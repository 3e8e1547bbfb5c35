// The people of the sample media, as pictures for the camera.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { decode, picturesOf } from "./clip.js";
import { HEIGHT, WIDTH } from "./person.js";
import { MEDIA, ROOT } from "./server.js";

// Photographs of people who never agreed to be published: they lie beside the project, where they are there at all.
const BESIDE = process.env.FACEATTEND_TEST_MEDIA ?? join(ROOT, "../shared/media");
const IDENTITIES = join(BESIDE, "faces/lfw_dev");
// Those whose first two photographs show them plainly and alone, by their place in the alphabet: none is named here.
const PLAIN = [0, 2, 3, 5, 6, 8, 9, 11, 12];
// Nobody stands still: how much nearer somebody is in each picture.
const SWAYS = [1, 1.02, 1.04, 1.02];

// Whose turn of the head, and how much nearer than the clip shows it: nobody sits in the same place twice, and the
// server takes no picture of an earlier registration.
const TURNS = {
  hopper: ["hopper", 1],
  hopperMoved: ["hopper", 1.06],
  hopperAgain: ["hopper", 1.12],
  hopperLater: ["hopper", 1.18],
  collins: ["collins", 1],
};

// Decodes the turns of these people's heads in the browser.
export async function peopleIn(browser, wanted = Object.keys(TURNS)) {
  const studio = await browser.newPage();
  const people = {};
  for (const name of wanted) {
    const [person, zoom] = TURNS[name];
    const pictures = picturesOf(join(MEDIA, person, "turn.avi"));
    people[name] = await decode(studio, pictures, { width: WIDTH, height: HEIGHT, zoom });
  }
  await studio.close();
  return people;
}

// The files of further people, two photographs of each: one to enrol by, one of another day to show to a camera. None
// where the photographs are not here.
export function photographed() {
  if (!existsSync(IDENTITIES)) return [];
  const folders = readdirSync(IDENTITIES).sort();
  return PLAIN.map((at) => {
    const folder = join(IDENTITIES, folders[at]);
    const [enrolled, shown] = readdirSync(folder).sort().map((file) => join(folder, file));
    return { enrolled, shown };
  });
}

// Decodes photographs as people who look ahead: `Camera.sit` takes each of them.
export async function standing(browser, files) {
  const studio = await browser.newPage();
  const clips = [];
  for (const file of files) {
    const pictures = [];
    for (const zoom of SWAYS)
      pictures.push(...await decode(studio, [readFileSync(file)], { width: WIDTH, height: HEIGHT, zoom }));
    clips.push(pictures);
  }
  await studio.close();
  return clips;
}
