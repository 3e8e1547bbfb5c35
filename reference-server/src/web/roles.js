// What the person who is logged in may do. The server refuses the rest by itself; the pages only spare the click.
const ORDER = ["viewer", "operator", "admin"];
let role = "viewer";

export const become = (name) => { role = name; };

export const may = (least) => ORDER.indexOf(role) >= ORDER.indexOf(least);
