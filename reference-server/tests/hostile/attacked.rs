//! The server under attack, in a process of its own, and the connections of the attacker.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use faceattend_server::Settings;
use faceattend_server::net::listen::ConnectionLimits;
use serde_json::Value;

use crate::common::Service;
use crate::common::server_process::{ServerProcess, serve_if_started};

/// How many connections the server accepts.
pub(crate) const CONNECTIONS: usize = 48;
/// How long the server waits for the rest of a head or of a body. Short, so that the tests end soon.
pub(crate) const PATIENCE: Duration = Duration::from_millis(700);
/// The order of a server that waits long for bodies, and lets an address have a quarter of the connections.
pub(crate) const FLOODED: &str = "flooded";
/// The order of a server with little memory for pictures, and threads for many of them.
pub(crate) const SMALL_MEMORY: &str = "small memory";
/// How many pictures that server analyzes at a time, and the bytes that they share.
pub(crate) const PICTURES: usize = 6;
pub(crate) const PICTURE_MEMORY: u64 = 136 << 20;
/// The time within which every connection is answered or closed. It ends a test that fails, nothing else.
pub(crate) const SOON: Duration = Duration::from_secs(30);

#[test]
#[ignore = "the server that the other tests start and attack"]
fn server_under_attack() {
    let limits = ConnectionLimits::default().with_connections(CONNECTIONS).with_head_within(PATIENCE);
    serve_if_started(limits, async |order| {
        let change = |settings: Settings| match order.as_str() {
            FLOODED => settings.with_body_within(SOON).with_at_once_per_address(CONNECTIONS / 4),
            SMALL_MEMORY => settings.with_threads(PICTURES).with_picture_memory(PICTURE_MEMORY),
            _ => settings.with_body_within(PATIENCE).with_at_once_per_address(CONNECTIONS),
        };
        let service = Service::start_with(change).await;
        let Service { router, token, folder, .. } = service;
        // The process needs the database until it is killed.
        let _ = folder.keep();
        (router, token)
    });
}

/// The server under attack.
pub(crate) struct Attacked {
    process: ServerProcess,
    pub(crate) token: String,
}

impl Attacked {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    pub(crate) fn start_with(order: &str) -> Self {
        let process = ServerProcess::start("attacked::server_under_attack", order);
        let token = process.greeting().to_owned();
        Self { process, token }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.process.address()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        stream
    }

    /// Sends `bytes` and reads what comes until the server hangs up or `quiet` says that nothing more is sent.
    pub(crate) fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server may well hang up before it has heard everything.
        let _ = stream.write_all(bytes);
        heard(&mut stream)
    }

    /// A request with a token and `Connection: close`, which the server hears to its end.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> String {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n{headers}\r\n",
            self.token
        );
        let mut stream = self.connect();
        // Clients that cannot send on do not look for an answer.
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        heard(&mut stream)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address()
    }

    #[track_caller]
    pub(crate) fn is_well(&self) {
        let health = self.say(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_eq!(status_of(&health), Some(200), "{health}");
        let said = self.process.complaints();
        assert!(!said.contains("panicked"), "{said}");
    }

    /// A figure of the process's memory, such as `VmHWM:`, the most that it ever had.
    #[cfg(target_os = "linux")]
    pub(crate) fn kilobytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Kilobytes of memory in use, and open connections. Other files come and go: the store opens readers as it needs
    /// them.
    #[cfg(target_os = "linux")]
    pub(crate) fn holds(&self) -> (u64, usize) {
        let kilobytes = self.kilobytes("VmRSS:");
        let proc = format!("/proc/{}", self.process.id());
        let files = std::fs::read_dir(format!("{proc}/fd")).unwrap().flatten();
        let targets = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        (kilobytes, targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count())
    }
}

/// What comes until the other side hangs up.
pub(crate) fn heard(stream: &mut TcpStream) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("neither an answer nor a hang-up: {error}; so far {}", String::from_utf8_lossy(&all)),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

pub(crate) fn status_of(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ").or_else(|| answer.strip_prefix("HTTP/1.0 "))?.get(..3)?.parse().ok()
}

pub(crate) fn detail_of(answer: &str) -> Option<Value> {
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    Some(body["detail"].clone())
}
