// The passive check of pictures: what an admin is told before anything else while it is missing, and the button that
// fetches its models.
import { banner } from "./banners.js";
import { erase, get, post } from "./api.js";
import { may } from "./roles.js";
import { number, t, told } from "./text.js";
import { element, pause, say } from "./ui.js";

const PATH = "/models/antispoof";
const EVERY = 1000;
const FAILED = {
  download: "passive.failed_download",
  io: "passive.failed_io",
  model: "passive.failed_model",
};

let watching = false;

// Shows how it stands, to admins only; somebody else sees nothing.
export async function look() {
  if (!may("admin")) {
    element("passive").hidden = true;
    return;
  }
  try {
    await show((await get(PATH)).data);
  } catch {
    // The page's own requests say that the server is away.
    element("passive").hidden = true;
  }
}

const megabytes = (bytes) => number(bytes / 1e6, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

async function show({ state, done, total, command, license, error }) {
  const note = element("passive-note");
  const fetching = state === "fetching";
  const shown = ["missing", "fetching", "stopped", "failed"].includes(state);
  const [begin, stop] = [element("passive-fetch"), element("passive-stop")];
  const held = [begin, stop].includes(document.activeElement);
  element("passive").hidden = !shown;
  begin.hidden = fetching;
  stop.hidden = !fetching;
  stop.disabled = false;
  begin.textContent = t(state === "missing" ? "passive.fetch" : "passive.go_on");
  element("passive-command").textContent = command;
  element("passive-size").textContent = t("passive.size", { size: megabytes(total), license });
  element("passive-progress").hidden = !fetching;
  element("passive-progress").max = total || 1;
  element("passive-progress").value = done;
  if (held && shown) (fetching ? stop : begin).focus();
  const far = { done: megabytes(done), total: megabytes(total) };
  if (fetching) say(note, t("passive.fetching", far));
  else if (state === "stopped") say(note, t("passive.stopped", far));
  else if (state === "failed") say(note, told(FAILED, error, t("passive.failed")), "bad");
  else say(note, "");
  if (fetching) await watch();
}

// Follows a download until it is over, once however many pages ask.
async function watch() {
  if (watching) return;
  watching = true;
  try {
    for (;;) {
      await pause(EVERY);
      if (!may("admin")) return;
      const { data } = await get(PATH);
      if (data.state === "running") banner(t("passive.runs"));
      await show(data);
      if (data.state !== "fetching") return;
    }
  } catch {
    // Asked again with the next page.
  } finally {
    watching = false;
  }
}

async function does(work) {
  try {
    await show((await work()).data);
  } catch (error) {
    say(element("passive-note"), error.message, "bad");
  }
}

element("passive-fetch").addEventListener("click", () => does(() => post(PATH)));
element("passive-stop").addEventListener("click", () => {
  element("passive-stop").disabled = true;
  does(() => erase(PATH));
});
