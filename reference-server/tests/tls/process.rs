//! The program itself: what it says at the start, what it reads again, and what `doctor` finds.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::TcpStream;

use crate::client::{SOON, ask, handshake};
use crate::renewed::Authority;

/// A server in a process of its own. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    said: Arc<Mutex<String>>,
}

pub(crate) fn command(folder: &Path, subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceattend"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FACEATTEND_")) {
        command.env_remove(name);
    }
    command.args([subcommand, "--data-dir"]).arg(folder).stdin(Stdio::null());
    command
}

impl Program {
    pub(crate) fn start(folder: &Path, settings: &[&str]) -> Self {
        let mut child = command(folder, "serve")
            .args(["--port", "0"])
            .args(settings)
            // Who is limited is told at this level.
            .env("FACEATTEND_LOG", "info,faceattend_server=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let hear = |stream: Box<dyn std::io::Read + Send>| {
            let kept = Arc::clone(&said);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    kept.lock().unwrap().push_str(&(line + "\n"));
                }
            })
        };
        hear(Box::new(child.stdout.take().unwrap()));
        hear(Box::new(child.stderr.take().unwrap()));
        let mut program = Self { child, address: ([127, 0, 0, 1], 0).into(), said };
        let listening = program.wait_for("Listening on http");
        let (_, rest) = listening.split_once("Listening on http").unwrap();
        let (address, _) = rest.split_once("://").unwrap().1.split_once(',').unwrap();
        program.address = address.parse().unwrap();
        program
    }

    /// Waits until the program has said these words, and returns all that it has said.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        let since = Instant::now();
        loop {
            let said = self.said.lock().unwrap().clone();
            if said.contains(words) {
                // The lines that follow come at once.
                std::thread::sleep(Duration::from_millis(300));
                return self.said.lock().unwrap().clone();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && since.elapsed() < 2 * SOON, "{words:?} was never said: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    #[cfg(unix)]
    fn hang_up(&self) {
        let told = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn asked(program: &Program, root: &CertificateDer<'static>, request: &str) -> String {
    let stream = TcpStream::connect(program.address).await.unwrap();
    let mut stream = handshake(stream, "127.0.0.1", std::slice::from_ref(root), &[]).await.unwrap();
    ask(&mut stream, program.address, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_signed_server_says_whom_to_trust_and_is_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path(), &["--tls", "self-signed"]);
    let said = program.wait_for("Its fingerprint (SHA-256):");
    assert!(said.contains(&format!("Listening on https://{}, pages at https://", program.address)), "{said}");
    let is_fingerprint =
        |line: &&str| line.len() == 95 && line.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit());
    let fingerprint = said.lines().map(str::trim).find(is_fingerprint).unwrap().to_owned();
    let root = CertificateDer::from_pem_file(folder.path().join("tls-authority.crt")).unwrap();
    let health = asked(&program, &root, "GET /health").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    // The doctor finds the certificate, and the server behind it.
    let port = program.address.port().to_string();
    let found = command(folder.path(), "doctor").args(["--tls", "self-signed", "--port", &port]).output().unwrap();
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let line = |subject: &str| found.lines().find(|line| line[9..].starts_with(subject)).unwrap_or_default().to_owned();
    assert!(line("certificate").contains("localhost") && line("certificate").starts_with("ok"), "{found}");
    assert!(line("address").contains("is healthy"), "{found}");
    drop(program);
    let mut again = Program::start(folder.path(), &["--tls", "self-signed"]);
    assert!(again.wait_for("Its fingerprint").contains(&fingerprint), "devices would have to trust it anew");
    // There are no files to read again: the server ends with the terminal that somebody tries it in.
    #[cfg(unix)]
    {
        again.hang_up();
        let since = Instant::now();
        while again.is_running() {
            assert!(since.elapsed() < SOON, "it outlives its terminal, and holds the port");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reads_the_files_again_and_trouble_is_told() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let authority = Authority::new("tests");
    let (certificate, key) = authority.vouch(&["127.0.0.1"], files.path());
    let settings = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let mut program = Program::start(folder.path(), &settings);
    let answer = asked(&program, &authority.der, "GET /ui/").await;
    assert!(answer.contains("max-age=31536000"), "{answer}");
    authority.vouch(&["127.0.0.1"], files.path());
    program.hang_up();
    program.wait_for("the certificate was read again");
    std::fs::write(&key, "no key").unwrap();
    program.hang_up();
    let said = program.wait_for("the certificate in use stays");
    assert!(said.contains("server.key"), "{said}");
    assert!(program.is_running() && asked(&program, &authority.der, "GET /health").await.contains("healthy"));
}

#[test]
fn a_server_whose_certificate_is_wrong_does_not_start_and_says_what_to_do() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let authority = Authority::new("tests");
    let (certificate, key) = authority.vouch(&["127.0.0.1"], files.path());
    std::fs::write(&key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    for (settings, words) in [
        (vec!["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()], "made together"),
        (vec!["--tls-cert", certificate.to_str().unwrap()], "--tls-key"),
        (vec!["--tls", "self-signed", "--tls-key", key.to_str().unwrap()], "leave out"),
    ] {
        let refused = command(folder.path(), "serve").args(["--port", "0"]).args(&settings).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(words), "{said}");
    }
}
