// What a kiosk asks of the server. Its token is a cookie that no script reads.
const SERVER = new URL("../../", import.meta.url);
// A request that takes longer than this is lost: a frame is worth nothing by then.
const PATIENCE = 10_000;

// Why a request led to nothing: `status` is 0 where the server was not reached, `wait` seconds may be asked for.
export class Refused extends Error {
  constructor(status, detail = "", wait = 0) {
    super(detail || `status ${status}`);
    Object.assign(this, { status, detail, wait });
  }
}

async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(new URL(`api/v1/kiosk/${path}`, SERVER), {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new Refused(0);
  }
  // An answer that breaks off is none either.
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const detail = typeof answer?.detail === "string" ? answer.detail : "";
  throw new Refused(response.ok ? 0 : response.status, detail, Number(response.headers.get("Retry-After")) || 0);
}

export const me = () => ask("GET", "me");
export const pair = (code) => ask("POST", "pair", { code });
export const send = (picture, leaving) => ask("POST", "frame", { image_data: picture, leaving });
export const notMe = (greeting) => ask("POST", "not-me", { greeting_id: greeting });
export const vouch = (roll, pin, leaving) => ask("POST", "fallback", { roll_number: roll, pin, leaving });
