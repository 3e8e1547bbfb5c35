//! A real mail server: aiosmtpd, in a process of its own, with a certificate that the test makes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

pub(crate) const USER: &str = "office";
pub(crate) const PASSWORD: &str = "S3CRET of the office";

pub(crate) struct PostOffice {
    child: Child,
    pub(crate) port: u16,
    /// The authority that signed its certificate.
    pub(crate) authority: PathBuf,
    letters: mpsc::Receiver<Value>,
    _folder: tempfile::TempDir,
}

impl PostOffice {
    /// Starts one that begins with `security`, for `name`; `None`, said on standard error, where aiosmtpd is missing.
    pub(crate) fn open(security: &str, name: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        let signed = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        std::fs::write(&certificate, signed.cert.pem()).unwrap();
        std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/notices/post_office.py");
        let mut child = Command::new(python()?)
            .arg(script)
            .args([&certificate, &key])
            .args([security, USER, PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let (kept, letters) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = kept.send(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { child, port, authority: certificate, letters, _folder: folder })
    }

    /// The next letter, within a minute.
    #[track_caller]
    pub(crate) fn letter(&self) -> Value {
        self.letters.recv_timeout(Duration::from_secs(60)).expect("a letter within a minute")
    }

    /// That no letter has come for a while.
    #[track_caller]
    pub(crate) fn is_quiet(&self) {
        let came = self.letters.recv_timeout(Duration::from_secs(2));
        assert!(came.is_err(), "{came:?}");
    }

    /// Answers the next letter so.
    pub(crate) fn refuse_next(&mut self, answer: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{answer}").unwrap();
        // It reads the line in a thread of its own.
        std::thread::sleep(Duration::from_millis(300));
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that has aiosmtpd: the one that `FACEATTEND_TEST_SMTP_PYTHON` names, which `cargo xtask test` makes.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/smtp-server/bin/python");
    let named = std::env::var_os("FACEATTEND_TEST_SMTP_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| if made.exists() { made } else { "python3".into() });
    let has = Command::new(&python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
    if has.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    eprintln!("skipped: {} has no aiosmtpd; `cargo xtask test` installs it", python.display());
    None
}
