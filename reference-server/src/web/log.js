// Who changed what.
import { get, localTime, row } from "./api.js";

const element = (id) => document.getElementById(id);
const SIZE = 100;
let skip = 0;

export function enter() {
  skip = 0;
  load();
}
export function leave() {}

async function load() {
  const count = element("log-count");
  let page;
  try {
    page = await get(`/audit?skip=${skip}&limit=${SIZE}`);
  } catch (error) {
    count.textContent = error.message;
    return;
  }
  element("log-rows").replaceChildren(...page.items.map((entry) =>
    row([localTime(entry.timestamp), entry.actor, entry.action, entry.subject, entry.details])));
  const last = skip + page.items.length;
  count.textContent = page.total === 0 ? "Nothing was changed yet." : `${skip + 1} to ${last} of ${page.total}`;
  element("log-newer").disabled = skip === 0;
  element("log-older").disabled = last >= page.total;
}

element("log-newer").addEventListener("click", () => { skip = Math.max(0, skip - SIZE); load(); });
element("log-older").addEventListener("click", () => { skip += SIZE; load(); });
