// Banners: what has just happened, said once to the eye and once, politely, to the ear.
import { element, make } from "./ui.js";
import { t } from "./text.js";

// Long enough to be read twice; whoever holds the pointer or the focus on one keeps it.
const SHOWN_FOR = 8000;
// As many as stand side by side in their place.
const MOST = 3;

export function banner(text, kind = "good") {
  const close = make("button", { type: "button", className: "close", textContent: "×" });
  close.setAttribute("aria-label", t("banner.close"));
  const shown = make("div", { className: `banner ${kind}` }, make("p", { textContent: text }), close);
  const gone = () => shown.remove();
  close.addEventListener("click", gone);
  let timer = setTimeout(gone, SHOWN_FOR);
  const hold = () => clearTimeout(timer);
  const release = () => {
    hold();
    timer = setTimeout(gone, SHOWN_FOR);
  };
  for (const event of ["pointerenter", "focusin"]) shown.addEventListener(event, hold);
  for (const event of ["pointerleave", "focusout"]) shown.addEventListener(event, release);
  const place = element("banners");
  place.append(shown);
  while (place.children.length > MOST) place.firstElementChild.remove();
}
