// A database to begin with, in the form that `faceattend db export` writes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const SCHEMA = 11;

// Puts rows into the database of `folder` with the server's own program: pairs of a table and a row. `schema` is the
// step of the schema that the rows are of.
export function fill(program, folder, rows, schema = SCHEMA) {
  const head = { faceattend: "database", format: 1, schema };
  const lines = [head, ...rows.map(([table, row]) => ({ [table]: row }))].map((line) => `${JSON.stringify(line)}\n`);
  const text = lines.join("");
  const end = { rows: rows.length, sha256: createHash("sha256").update(text).digest("hex") };
  const file = join(folder, "rows.jsonl");
  writeFileSync(file, `${text}${JSON.stringify({ end })}\n`);
  execFileSync(program, ["db", "import", file, "--data-dir", folder], { stdio: "pipe" });
}
