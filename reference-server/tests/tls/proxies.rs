//! The proxies of the book, run from its own files: pages, login, API, WebSocket and a path go through them, and what a
//! client writes into a proxy's headers does not.
//!
//! A proxy that is not installed is skipped, by name. Traefik is not in Debian: where it is installed, nobody has tried
//! this test with it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::client::{SOON, handshake, header, heard, skipped};
use crate::process::Program;
use crate::renewed::Authority;

const OWN: &str = "attendance.school.example";
const SHARED: &str = "school.example";
/// The address in the samples.
const SERVER: &str = "127.0.0.1:8001";
/// Another address of this machine for the client than the proxy's.
const CLIENT: &str = "127.0.0.2:0";

/// A proxy before two servers: one under a name of its own, one under a path.
struct Proxy {
    child: Child,
    address: SocketAddr,
    authority: Authority,
    own: Program,
    shared: Program,
    _folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx's workers end with their master only when it is asked to end.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// What a proxy is started with.
struct Start {
    folder: PathBuf,
    port: u16,
    certificate: String,
    key: String,
    own: String,
    shared: String,
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/proxies").join(name)).unwrap()
}

/// The sample with `text` in the place of `old`, which must be there.
#[track_caller]
fn put(sample: &str, old: &str, text: &str) -> String {
    assert!(sample.contains(old), "the sample has no {old:?} any more");
    sample.replace(old, text)
}

impl Proxy {
    /// Starts `program` with what `configure` makes of the sample; `None` where it is not installed.
    async fn start(program: &str, configure: impl FnOnce(&Start) -> Command) -> Option<Self> {
        let there = Command::new(program).arg(if program == "nginx" { "-v" } else { "version" }).output();
        if there.is_err() {
            skipped(&format!("{program} is not installed"));
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let serve = |name: &str, more: &[&str]| {
            let data = folder.path().join(name);
            let settings = ["--trusted-proxies", "127.0.0.1", "--allowed-hosts", name, "--rate-limit", "40"];
            Program::start(&data, &[&settings[..], more].concat())
        };
        let (own, shared) = (serve(OWN, &[]), serve(SHARED, &["--base-path", "/attendance"]));
        let authority = Authority::new("tests");
        let (certificate, key) = authority.vouch(&[OWN, SHARED], folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let start = Start {
            folder: folder.path().to_owned(),
            port,
            certificate: certificate.display().to_string(),
            key: key.display().to_string(),
            own: own.address.to_string(),
            shared: shared.address.to_string(),
        };
        let mut command = configure(&start);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut proxy = Self { child, address, authority, own, shared, _folder: folder };
        let since = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let said = std::fs::read_to_string(start.folder.join("log")).unwrap_or_default();
            let ended = proxy.child.try_wait().unwrap();
            assert!(ended.is_none() && since.elapsed() < SOON, "{program} did not start: {said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(proxy)
    }

    async fn connect(&self, host: &str) -> TlsStream<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(CLIENT.parse().unwrap()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        handshake(stream, host, std::slice::from_ref(&self.authority.der), &[b"http/1.1"]).await.unwrap()
    }

    /// Asks as a client does that lies in every header of proxies.
    async fn ask(&self, host: &str, line: &str, head: &str, body: &str) -> String {
        let mut stream = self.connect(host).await;
        let port = self.address.port();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nX-Forwarded-For: 203.0.113.7\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-Prefix: /evil\r\n\
             Forwarded: for=203.0.113.7;proto=http\r\nContent-Length: {}\r\n{head}\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        heard(&mut stream).await
    }

    /// What every client does, under `path` of `host`.
    async fn is_passable(&self, host: &str, path: &str) {
        let port = self.address.port();
        let page = self.ask(host, &format!("GET {path}/ui/"), "", "").await;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("id=\"page-login\""), "{page}");
        let root = self.ask(host, &format!("GET {path}/"), "Accept: text/html\r\n", "").await;
        assert!(header(&root, "location").is_some_and(|to| to.ends_with(&format!("{path}/ui/"))), "{root}");
        assert!(!root.contains("evil"), "a client chose where another is led: {root}");

        let body = json!({ "username": "admin", "password": "admin123" }).to_string();
        let json = "Content-Type: application/json\r\n";
        let login = self.ask(host, &format!("POST {path}/api/v1/auth/login"), json, &body).await;
        assert!(login.starts_with("HTTP/1.1 200"), "{login}");
        let cookie = header(&login, "set-cookie").unwrap();
        assert!(cookie.contains(&format!("; Path={path}/api/v1/auth;")) && cookie.ends_with("; Secure"), "{cookie}");
        let token = token_in(&login);
        let bearer = format!("Authorization: Bearer {token}\r\n");
        let me = self.ask(host, &format!("GET {path}/api/v1/auth/me"), &bearer, "").await;
        assert!(me.starts_with("HTTP/1.1 200") && me.contains("admin"), "{me}");
        let slash = self.ask(host, &format!("GET {path}/api/v1/students"), &bearer, "").await;
        let expected = format!("https://{host}:{port}{path}/api/v1/students/");
        assert_eq!(header(&slash, "location"), Some(expected.as_str()), "{slash}");

        let url = format!("wss://{host}:{port}{path}/api/v1/detection/ws/1?token={token}");
        let (mut socket, _) = client_async(url.into_client_request().unwrap(), self.connect(host).await).await.unwrap();
        let first = tokio::time::timeout(SOON, socket.next()).await.unwrap().unwrap().unwrap();
        assert!(first.to_text().unwrap().contains("status_update"), "{first}");
    }

    /// Asks too often on one connection, and returns whom the server took for the client.
    async fn whom_it_limits(&mut self) -> String {
        let mut stream = self.connect(OWN).await;
        let host = format!("{OWN}:{}", self.address.port());
        let one = format!("GET /api/v1/ping HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n");
        let since = Instant::now();
        let mut answer = vec![0; 64 * 1024];
        loop {
            stream.write_all(one.as_bytes()).await.unwrap();
            let read = tokio::time::timeout(SOON, stream.read(&mut answer)).await.unwrap().unwrap();
            if String::from_utf8_lossy(&answer[..read]).contains(" 429 ") {
                break;
            }
            assert!(since.elapsed() < SOON, "nobody is limited");
            if read == 0 {
                stream = self.connect(OWN).await;
            }
        }
        let said = self.own.wait_for("too many requests");
        said.lines().find(|line| line.contains("too many requests")).unwrap().to_owned()
    }
}

fn token_in(login: &str) -> String {
    let body = login.split_once("\r\n\r\n").unwrap().1;
    // nginx sends it in one piece, Caddy too.
    let json: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{login}"));
    json["access_token"].as_str().unwrap().to_owned()
}

async fn drive(proxy: Option<Proxy>) {
    let Some(mut proxy) = proxy else { return };
    proxy.is_passable(OWN, "").await;
    proxy.is_passable(SHARED, "/attendance").await;
    assert!(proxy.shared.is_running());
    let line = proxy.whom_it_limits().await;
    assert!(line.contains("127.0.0.2") && !line.contains("203.0.113.7"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_of_the_book_passes_everything_and_no_lies() {
    let proxy = Proxy::start("nginx", |start| {
        let text = sample("nginx.conf");
        let (own, shared) = text.split_once("# The server under a path").unwrap();
        let text =
            format!("{}# The server under a path{}", put(own, SERVER, &start.own), put(shared, SERVER, &start.shared));
        let text = put(&text, "listen 443 ssl http2;", &format!("listen 127.0.0.1:{} ssl http2;", start.port));
        let text = put(&text, "listen 80;", &format!("listen unix:{}/plain;", start.folder.display()));
        let text = put(&text, "/etc/ssl/attendance.pem", &start.certificate);
        let text = put(&text, "/etc/ssl/private/attendance.key", &start.key);
        let text = put(&text, "/etc/ssl/school.pem", &start.certificate);
        let text = put(&text, "/etc/ssl/private/school.key", &start.key);
        let folder = start.folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {folder}/{name};"))
            .concat();
        let whole = format!(
            "daemon off; user root; pid {folder}/pid; error_log stderr; events {{}}\nhttp {{ access_log off; {temporary}\n\
             {text} }}"
        );
        let file = start.folder.join("nginx.conf");
        std::fs::write(&file, whole).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&start.folder).arg("-e").arg("stderr").arg("-c").arg(file);
        command
    });
    drive(proxy.await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn caddy_of_the_book_passes_everything_and_no_lies() {
    let proxy = Proxy::start("caddy", |start| {
        let text = sample("Caddyfile");
        // Each host has its own server here: the snippet takes the address.
        let text = put(&text, SERVER, "{args.0}");
        let site = |name: &str| {
            format!("https://{name}:{} {{\n\tbind 127.0.0.1\n\ttls {} {}", start.port, start.certificate, start.key)
        };
        let text = put(&text, "\nattendance.school.example {", &format!("\n{}", site(OWN)));
        let text = put(&text, "\nschool.example {", &format!("\n{}", site(SHARED)));
        let text = put(&text, "\n\timport faceattend", &format!("\n\timport faceattend {}", start.own));
        let text = put(&text, "\n\t\timport faceattend", &format!("\n\t\timport faceattend {}", start.shared));
        let file = start.folder.join("Caddyfile");
        std::fs::write(&file, format!("{{\n\tadmin off\n\tauto_https off\n}}\n{text}")).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        command
    });
    drive(proxy.await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traefik_of_the_book_passes_everything_and_no_lies() {
    let proxy = Proxy::start("traefik", |start| {
        let text = sample("traefik.yml");
        let (own, shared) = text.split_once("    # The server under a path").unwrap();
        let (routers, services) = shared.split_once("  services:").unwrap();
        // Each host has its own server here.
        let routers = put(routers, "service: faceattend", "service: faceattend-path-server");
        let second = format!(
            "    faceattend-path-server:\n      loadBalancer:\n        servers:\n          - url: \"http://{}\"\n",
            start.shared
        );
        let services = format!("{}{second}", put(services, SERVER, &start.own));
        let text = format!("{own}    # The server under a path{routers}  services:{services}");
        let text = put(&text, "\n        certResolver: letsencrypt", " {}");
        let (certificate, key) = (&start.certificate, &start.key);
        let tls = format!("tls:\n  certificates:\n    - certFile: {certificate}\n      keyFile: {key}\n");
        let file = start.folder.join("dynamic.yml");
        std::fs::write(&file, format!("{text}{tls}")).unwrap();
        let mut command = Command::new("traefik");
        command.arg(format!("--entryPoints.websecure.address=127.0.0.1:{}", start.port));
        command.arg(format!("--providers.file.filename={}", file.display()));
        command
    });
    drive(proxy.await).await;
}
