// The pieces that the pages are made of.
import { number, t } from "./text.js";

export const element = (id) => document.getElementById(id);

// A note that is announced; unchanged text is not announced again.
export function say(note, text, kind = "") {
  if (note.textContent !== text) note.textContent = text;
  note.className = `note ${kind}`;
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
      const td = make("td", { className: heads[at].className }, cell ?? "");
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
  skip = 0;

  // The elements are called `name`-count, `name`-before and `name`-after; `load` shows the slice of skip and limit and
  // answers it; `empty` is the key of what to say when there is nothing.
  constructor(name, size, empty, load) {
    [this.#name, this.#size, this.#empty, this.#load] = [name, size, empty, load];
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
      return;
    }
    const last = this.skip + page.items.length;
    // The last one of a slice was deleted.
    if (page.items.length === 0 && this.skip > 0) {
      this.skip = Math.max(0, this.skip - this.#size);
      await this.show();
      return;
    }
    count.textContent = page.total === 0
      ? t(this.#empty)
      : t("list.slice", { first: number(this.skip + 1), last: number(last), total: number(page.total) });
    element(`${this.#name}-before`).disabled = this.skip === 0;
    element(`${this.#name}-after`).disabled = last >= page.total;
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
