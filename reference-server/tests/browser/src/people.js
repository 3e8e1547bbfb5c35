// The people of the sample media, as pictures for the camera.
import { join } from "node:path";
import { decode, picturesOf } from "./clip.js";
import { HEIGHT, WIDTH } from "./person.js";
import { MEDIA } from "./server.js";

// Decodes everybody's turn of the head in the browser.
export async function peopleIn(browser) {
  const studio = await browser.newPage();
  const clip = (name, zoom) =>
    decode(studio, picturesOf(join(MEDIA, name, "turn.avi")), { width: WIDTH, height: HEIGHT, zoom });
  // Nobody sits in the same place twice, and the server takes no picture of an earlier registration.
  const people = {
    hopper: await clip("hopper"),
    hopperMoved: await clip("hopper", 1.06),
    hopperAgain: await clip("hopper", 1.12),
    hopperLater: await clip("hopper", 1.18),
    collins: await clip("collins"),
  };
  await studio.close();
  return people;
}
