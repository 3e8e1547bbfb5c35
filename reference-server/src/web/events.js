// What happens, as it happens: the server's WebSocket, opened while somebody is logged in and again whenever it breaks.
import { SERVER, loggedIn, renew, token } from "./api.js";

// The second word of the subprotocol is the token: an address would be kept by logs.
const PROTOCOL = "bearer";
const EVENTS =
  "attendance_marked,statuses_changed,detection_update,second_look,camera_state,spoof_suspected,log_line";
// The pause before the next try, and the longest one: a server that starts anew is back within seconds.
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

const listeners = new Map();
let socket = null;
let waiting = null;
let wait = FIRST_PAUSE;

// Calls back with every event of this type; "connection" tells whether events come at all.
export function listen(type, callback) {
  listeners.set(type, [...(listeners.get(type) ?? []), callback]);
}

export const connected = () => socket?.readyState === WebSocket.OPEN;

const tell = (type, event) => (listeners.get(type) ?? []).forEach((callback) => callback(event));

export function connect() {
  if (!loggedIn() || socket) return;
  clearTimeout(waiting);
  const used = token();
  const address = new URL(`api/v1/detection/ws/1?events=${EVENTS}`, SERVER);
  address.protocol = address.protocol.replace("http", "ws");
  let opened = false;
  socket = new WebSocket(address, [PROTOCOL, used]);
  socket.addEventListener("open", () => {
    opened = true;
    wait = FIRST_PAUSE;
    tell("connection", true);
  });
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    tell(event.type, event);
  });
  socket.addEventListener("close", async () => {
    socket = null;
    tell("connection", false);
    if (!loggedIn()) return;
    // A browser does not tell why a handshake was refused; the token may have run out.
    if (!opened) await renew(used);
    waiting = setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_PAUSE);
  });
}

export function disconnect() {
  clearTimeout(waiting);
  socket?.close();
}
