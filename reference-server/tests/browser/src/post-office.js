// A real mail server that keeps what it receives: that of the tests of letters, with a certificate of its own.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./server.js";

export const USER = "office";
export const PASSWORD = "S3CRET of the office";

// The Python that has aiosmtpd: what `cargo xtask` makes, else this machine's.
function python() {
  const made = join(ROOT, "target/smtp-server/bin/python");
  return process.env.FACEATTEND_TEST_SMTP_PYTHON ?? (existsSync(made) ? made : "python3");
}

// Opens one that begins with STARTTLS; answers its port, the certificate that vouches for it, the letters so far and
// how to close it. Where it cannot be opened, `missing` says why.
export async function openPostOffice() {
  const folder = mkdtempSync(join(tmpdir(), "faceattend-post-office-"));
  const [authority, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  let child;
  const close = () => {
    child?.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
      "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
      "-keyout", key, "-out", authority,
    ], { stdio: "pipe" });
    execFileSync(python(), ["-c", "import aiosmtpd"], { stdio: "pipe" });
  } catch (error) {
    close();
    return { missing: `there is no mail server here: ${String(error.stderr ?? error.message).trim()}` };
  }
  const script = join(ROOT, "reference-server/tests/notices/post_office.py");
  const words = [script, authority, key, "start_tls", USER, PASSWORD];
  child = spawn(python(), words, { stdio: ["pipe", "pipe", "inherit"] });
  const letters = [];
  const port = await new Promise((found, failed) => {
    child.once("exit", (code) => failed(new Error(`the mail server ended with ${code}`)));
    createInterface(child.stdout).on("line", (line) => {
      const told = JSON.parse(line);
      if (typeof told === "number") found(told);
      else letters.push(told);
    });
  });
  return { port, authority, letters, close };
}

// The subject and the lines of the plain text of a letter.
export function textOf({ text }) {
  const boundary = /boundary="([^"]+)"/.exec(text)[1];
  const plain = text.split(`--${boundary}`).find((part) => /Content-Type: text\/plain/i.test(part));
  const [head, ...rest] = plain.trim().split(/\r?\n\r?\n/);
  const body = rest.join("\n\n");
  const bytes = /Content-Transfer-Encoding: base64/i.test(head)
    ? Buffer.from(body, "base64")
    : /quoted-printable/i.test(head)
      ? Buffer.from(body.replaceAll(/=\r?\n/g, "").replaceAll(/=([0-9A-F]{2})/g, (_, hex) =>
        String.fromCharCode(Number.parseInt(hex, 16))), "latin1")
      : Buffer.from(body);
  return { subject: /^Subject: (.*)$/m.exec(text)[1].trim(), lines: bytes.toString().split(/\r?\n/) };
}
