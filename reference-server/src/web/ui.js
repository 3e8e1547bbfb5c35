// The pieces that the pages are made of.
import { mirrored, number, t } from "./text.js";

export const element = (id) => document.getElementById(id);

// A note that is announced; unchanged text is not announced again.
export function say(note, text, kind = "") {
  if (note.textContent !== text) note.textContent = text;
  note.className = `note ${kind}`;
}

// Makes a change, loads the list anew, and says in the note that it is done, or why it is not; whether it is done.
export async function carryOut(change, done, load, note) {
  let said = [done, "good"];
  try {
    await change();
  } catch (error) {
    said = [error.message, "bad"];
  }
  await load();
  say(element(note), ...said);
  return said[1] === "good";
}

export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A button whose name for screen readers also says whom it is for; the name begins with what is to be seen.
export function button(text, label, act, className = "quiet") {
  const made = make("button", { type: "button", className, textContent: text });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

// A button that opens a list of buttons: a row shows what is done most, and the rest waits here. A popover lies above
// everything, so that no table cuts it off.
let menus = 0;
export function menu(text, label, items) {
  const opened = make("div", { className: "menu", id: `menu-${(menus += 1)}`, popover: "auto" }, ...items);
  const opener = button(text, label, () => {});
  opener.popoverTargetElement = opened;
  opener.setAttribute("aria-expanded", "false");
  const close = () => opened.matches(":popover-open") && opened.hidePopover();
  opened.addEventListener("toggle", ({ newState }) => {
    const open = newState === "open";
    opener.setAttribute("aria-expanded", String(open));
    // It stands beside its button, which must not run away from it.
    (open ? addEventListener : removeEventListener)("scroll", close, { capture: true });
    if (!open) return;
    const { left, right, top, bottom } = opener.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = opened;
    // It ends where the button ends, as far as the screen allows.
    const begin = mirrored()
      ? Math.min(Math.max(left, 8), innerWidth - 8 - width)
      : Math.max(8, Math.min(right, innerWidth - 8) - width);
    opened.style.left = `${begin}px`;
    opened.style.top = `${bottom + height + 8 <= innerHeight ? bottom + 4 : Math.max(8, top - height - 4)}px`;
    items[0]?.focus();
  });
  // Closed first, so that a dialog gives the focus back to the button that opened the list.
  opened.addEventListener("click", close, { capture: true });
  return make("span", { className: "menu-of" }, opener, opened);
}

// A text of a table's cell, whose direction is its own; a very long one is cut to some lines, and stands whole in its
// tip.
const LONG = 80;
function shortened(cell) {
  if (typeof cell !== "string" || cell === "") return cell ?? "";
  if (cell.length <= LONG) return make("bdi", { textContent: cell });
  return make("bdi", { className: "long", textContent: cell, title: cell });
}

// Lets a table be ordered by its heads: each is a button, and what is pressed first orders upwards, then downwards. The
// heads name what they order by in `data-sort`; `own` is the order of the list where nobody asks for another.
export function sortable(table, own, changed) {
  let order = own;
  const heads = [...table.querySelectorAll("th[data-sort]")];
  const show = () => {
    for (const head of heads) {
      const [up, down] = [order === head.dataset.sort, order === `-${head.dataset.sort}`];
      head.setAttribute("aria-sort", up ? "ascending" : down ? "descending" : "none");
    }
  };
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      order = order === head.dataset.sort ? `-${head.dataset.sort}` : head.dataset.sort;
      show();
      changed();
    });
  }
  show();
  return {
    // The order that is asked for, and nothing where it is the list's own.
    get asked() { return order === own ? "" : order; },
    // A list that comes in an order of its own cannot be sorted.
    enable(can) {
      for (const head of heads) head.querySelector("button").disabled = !can;
    },
    ask(wanted) {
      order = heads.some(({ dataset }) => [dataset.sort, `-${dataset.sort}`].includes(wanted)) ? wanted : own;
      show();
    },
  };
}

// Rows of a table: texts, numbers and elements as they come. On a phone a row becomes a card, which would take the
// roles away from the table's elements, so they are written down; each cell is named by its column.
export function showRows(body, rows) {
  const table = body.closest("table");
  table.setAttribute("role", "table");
  for (const part of table.querySelectorAll("thead, tbody")) part.setAttribute("role", "rowgroup");
  for (const line of table.querySelectorAll("thead tr")) line.setAttribute("role", "row");
  const heads = [...table.querySelectorAll("thead th")];
  for (const head of heads) head.setAttribute("role", "columnheader");
  body.replaceChildren(...rows.map((cells) => {
    const line = make("tr");
    line.setAttribute("role", "row");
    line.append(...cells.map((cell, at) => {
      const td = make("td", { className: heads[at].className }, shortened(cell));
      td.setAttribute("role", "cell");
      td.dataset.column = heads[at].textContent;
      return td;
    }));
    return line;
  }));
}

// A list that comes in slices: which one, how many there are, and the buttons to the others.
export class Pager {
  #name;
  #size;
  #load;
  #empty;
  #nothing;
  skip = 0;

  // The elements are called `name`-count, `name`-before and `name`-after; `load` shows the slice of skip and limit and
  // answers it; `empty`, there or here, is the key of what to say when there is nothing; `nothing` makes what is shown
  // then.
  constructor(name, size, empty, load, nothing = null) {
    [this.#name, this.#size, this.#empty, this.#load, this.#nothing] = [name, size, empty, load, nothing];
    element(`${name}-before`).addEventListener("click", () => this.#turn(-size));
    element(`${name}-after`).addEventListener("click", () => this.#turn(size));
  }

  first() {
    this.skip = 0;
    return this.show();
  }

  async #turn(by) {
    this.skip = Math.max(0, this.skip + by);
    await this.show();
    // The button may have been turned off with the focus on it: the count tells where one is.
    element(`${this.#name}-count`).focus();
  }

  async show() {
    const count = element(`${this.#name}-count`);
    let page;
    try {
      page = await this.#load({ skip: this.skip, limit: this.#size });
    } catch (error) {
      count.textContent = error.message;
      count.classList.add("bad");
      return;
    }
    count.classList.remove("bad");
    const last = this.skip + page.items.length;
    // The last one of a slice was deleted.
    if (page.items.length === 0 && this.skip > 0) {
      this.skip = Math.max(0, this.skip - this.#size);
      await this.show();
      return;
    }
    count.textContent = page.total === 0
      ? t(page.empty ?? this.#empty)
      : t("list.slice", { first: number(this.skip + 1), last: number(last), total: number(page.total) });
    element(`${this.#name}-before`).disabled = this.skip === 0;
    element(`${this.#name}-after`).disabled = last >= page.total;
    element(`${this.#name}-after`).parentElement.hidden = page.total <= this.#size;
    if (this.#nothing) this.#showNothing(page.total === 0);
  }

  // In the place of the table; the count says the same to the ear.
  #showNothing(empty) {
    const table = element(`${this.#name}-rows`).closest(".scroll");
    table.hidden = empty;
    element(`${this.#name}-count`).classList.toggle("hidden", empty);
    if (table.nextElementSibling.classList.contains("nothing")) table.nextElementSibling.remove();
    if (empty) table.after(this.#nothing());
  }
}

// Asks before something that cannot be undone; whether it was confirmed. The dialog gives the focus back by itself.
export function confirmed({ title, what, hint, yes }) {
  const dialog = element("confirm");
  element("confirm-title").textContent = title;
  element("confirm-what").textContent = what;
  element("confirm-hint").textContent = hint;
  element("confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
