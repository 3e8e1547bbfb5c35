// Another machine on this one's network: a network namespace of the kernel, with a cable between.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Addresses of the documentation (RFC 5737): nobody's.
export const HERE = "198.51.100.1";
export const THERE = "198.51.100.2";

const run = (program, ...words) => execFileSync(program, words, { stdio: "pipe" });

// Lays the cable. Answers what runs a program on the other machine, and how to take everything away; what kept it from
// being laid, where that is so: namespaces need root, and a kernel that has them.
export function connectElsewhere() {
  const name = `faceattend-${process.pid}`;
  const [near, far] = [`fa${process.pid}a`, `fa${process.pid}b`];
  const folder = mkdtempSync(join(tmpdir(), "faceattend-elsewhere-"));
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
    for (const words of [["link", "delete", near], ["netns", "delete", name]]) {
      try {
        run("ip", ...words);
      } catch {
        // It was not made, or went with the other end.
      }
    }
  };
  try {
    run("ip", "netns", "add", name);
    run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", name);
    // An address that the kernel made by itself would come a second later, and Chromium would give up what it loads.
    run("ip", "link", "set", near, "addrgenmode", "none");
    run("ip", "-netns", name, "link", "set", far, "addrgenmode", "none");
    run("ip", "address", "add", `${HERE}/30`, "dev", near);
    run("ip", "link", "set", near, "up");
    run("ip", "-netns", name, "address", "add", `${THERE}/30`, "dev", far);
    run("ip", "-netns", name, "link", "set", far, "up");
    run("ip", "-netns", name, "link", "set", "lo", "up");
  } catch (error) {
    remove();
    return { missing: `no other machine can be made here: ${String(error.stderr ?? error.message).trim()}` };
  }
  // A program that runs another one there.
  const elsewhere = (program) => {
    const script = join(folder, "program");
    writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${name} ${program} "$@"\n`);
    chmodSync(script, 0o755);
    return script;
  };
  return { elsewhere, remove, folder };
}
