// A server of the tests' own: the built binary, on a free port, with a fresh folder.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const ROOT = resolve(import.meta.dirname, "../../../..");
export const MEDIA = join(ROOT, "examples/media");
export const PICTURES = join(ROOT, "target/browser");
// The models are opened before the server listens.
const START = 60_000;

// Starts the server, or takes the one that `FACEATTEND_URL` names; answers its address, its folder where it is ours,
// and how to stop it and to start it again. `prepare` is called with the program and the folder before a server of ours
// starts, `timeZone` is that of its site, `more` are further settings of it.
export async function startServer({ prepare, timeZone = "UTC", more = [] } = {}) {
  if (process.env.FACEATTEND_URL) return { url: process.env.FACEATTEND_URL, stop: async () => {} };
  const program = process.env.FACEATTEND_SERVER ?? join(ROOT, "target/debug/faceattend");
  if (!existsSync(program))
    throw new Error(`${program} is not there: cargo build -p faceattend-server --bin faceattend`);
  const folder = mkdtempSync(join(tmpdir(), "faceattend-pages-"));
  prepare?.(program, folder);
  // Without the models that this machine may have, and without a way to fetch them: nobody listens on the discard port.
  const settings = [
    "--data-dir",
    folder,
    "--models-dir",
    join(folder, "models"),
    "--preview",
    "--time-zone",
    timeZone,
    ...more,
  ];
  let running;
  const stop = async () => {
    await running?.end("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    running = await run(program, ["--port", "0", ...settings]);
  } catch (error) {
    await stop();
    throw error;
  }
  const { url } = running;
  // Ends the server, waits, and starts it again at the same address, with the same folder.
  const restart = async ({ signal = "SIGTERM", away = 0 } = {}) => {
    await running.end(signal);
    await new Promise((done) => { setTimeout(done, away); });
    running = await run(program, ["--port", new URL(url).port, ...settings]);
  };
  return { url, folder, stop, restart };
}

// Runs the server until it is ended; answers its address, once it listens.
async function run(program, settings) {
  const server = spawn(program, ["serve", ...settings], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "", no_proxy: "" },
  });
  const ended = new Promise((done) => { server.once("exit", done); });
  let complaints = "";
  server.stderr.on("data", (text) => { complaints = (complaints + text).slice(-4000); });
  const end = async (signal) => {
    server.kill(signal);
    await ended;
  };
  try {
    const url = await new Promise((found, failed) => {
      setTimeout(() => failed(new Error(`the server did not start:\n${complaints}`)), START).unref();
      ended.then((code) => failed(new Error(`the server ended with ${code}:\n${complaints}`)));
      createInterface(server.stdout).on("line", (line) => {
        const address = /Listening on (\S+?),/.exec(line)?.[1];
        if (address) found(address);
      });
    });
    return { url, end };
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
}
