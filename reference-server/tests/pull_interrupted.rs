//! `faceattend models pull` as a process that somebody interrupts, against a proxy that never answers.

#![cfg(unix)]

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long the process may take to end once it is asked to.
const PROMPT: Duration = Duration::from_secs(10);

#[test]
fn ctrl_c_ends_a_pull_at_once_and_says_what_is_kept() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("minifasnet/2.7_80x80_MiniFASNetV2.onnx.part");
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::fs::write(&part, [7; 1000]).unwrap();

    let mut pull = Command::new(env!("CARGO_BIN_EXE_faceattend"))
        .args(["models", "pull", "minifasnet", "--models-dir"])
        .arg(folder.path())
        .env("HTTPS_PROXY", format!("http://{}", proxy.local_addr().unwrap()))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Asked for the way to the server, it says nothing.
    let (connection, _) = proxy.accept().unwrap();
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-INT", &pull.id().to_string()]).status().unwrap().success());
    let status = loop {
        if let Some(status) = pull.try_wait().unwrap() {
            break status;
        }
        assert!(asked.elapsed() < PROMPT, "the pull goes on");
        std::thread::sleep(Duration::from_millis(20));
    };
    drop(connection);
    let mut said = String::new();
    pull.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("stopped after 1000 of 1743495 bytes") && said.contains("goes on from there"), "{said}");
    assert_eq!(std::fs::read(&part).unwrap(), [7; 1000]);
}
