// What a page was asked for, kept in its address behind a question mark: a reload shows the same, and so does the
// address on another machine.
const [HASH, QUERY] = ["#", "?"];

export const asked = () => new URLSearchParams(location.hash.split(QUERY)[1] ?? "");

// The page and what stands behind its slash, without the question.
export const place = () => location.hash.split(QUERY)[0];

// Writes the fields that say something behind `path`, without another step in the browser's history.
export function keep(fields, path = place()) {
  const query = new URLSearchParams(Object.entries(fields).filter(([, value]) => value));
  const hash = `${path || HASH}${query.size ? QUERY : ""}${query}`;
  if (hash !== location.hash) history.replaceState(history.state, "", hash);
}
