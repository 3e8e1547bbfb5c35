// How other devices reach this server: the address to scan, and the authority that they must trust once.
import { SERVER, get } from "./api.js";
import { date, series, t } from "./text.js";
import { element, say } from "./ui.js";

const COMMAND = "faceattend serve --host 0.0.0.0 --tls self-signed";

const row = (name, value) => {
  element(`devices-${name}-row`).hidden = !value;
  element(`devices-${name}`).textContent = value ?? "";
};

export async function enter() {
  const note = element("devices-note");
  say(note, "");
  try {
    show((await get("/devices")).data);
  } catch (error) {
    say(note, error.message, "bad");
  }
}

export function leave() {}

function show({ encrypted, address, picture, certificate, authority }) {
  element("devices-command").textContent = COMMAND;
  element("devices-plain").hidden = encrypted || Boolean(address);
  element("devices-alone").hidden = !encrypted || Boolean(address);
  element("devices-open").hidden = !address;
  element("devices-address").textContent = address ?? "";
  element("devices-address").href = address ?? "";
  element("devices-picture").hidden = !picture;
  if (picture) {
    element("devices-picture").src = `data:image/svg+xml,${encodeURIComponent(picture)}`;
    element("devices-picture").alt = t("devices.picture", { address });
  }
  element("devices-trust").hidden = !authority;
  element("devices-authority").href = new URL("ui/authority.crt", SERVER);
  row("name", authority?.name);
  row("fingerprint", authority?.fingerprint);
  row("until", authority && date(authority.ends));
  element("devices-certificate").hidden = !certificate;
  row("names", certificate && series(certificate.names));
  row("ends", certificate && date(certificate.ends));
}
