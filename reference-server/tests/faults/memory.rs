//! The real server with its models in 300 MB of memory: it works, answers the health check, and loses nothing.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::client::Client;

const LIMIT: u64 = 300 << 20;

/// A control group below our own; removed when this is dropped.
struct Group(PathBuf);

impl Group {
    /// Makes one with the limit, in either version of control groups; `None` where this user may not.
    fn with_limit() -> Option<Self> {
        let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let name = format!("faceattend-test-{}", std::process::id());
        let version_1 = own.lines().find_map(|line| line.split_once(":memory:").map(|(_, path)| path.to_owned()));
        let (folder, file) = match version_1 {
            Some(path) => (format!("/sys/fs/cgroup/memory{path}"), "memory.limit_in_bytes"),
            None => (format!("/sys/fs/cgroup{}", own.lines().find_map(|line| line.strip_prefix("0::"))?), "memory.max"),
        };
        let group = Self(PathBuf::from(folder).join(name));
        std::fs::create_dir(&group.0).ok()?;
        std::fs::write(group.0.join(file), LIMIT.to_string()).ok()?;
        Some(group)
    }

    /// The most that the group has used, in bytes.
    fn peak(&self) -> u64 {
        let read = |name: &str| std::fs::read_to_string(self.0.join(name)).ok()?.trim().parse().ok();
        read("memory.max_usage_in_bytes").or_else(|| read("memory.peak")).unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel lets it go a moment after its last process.
        for _ in 0..50 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_in_300_megabytes_works_and_answers_the_health_check() {
    let Some(group) = Group::with_limit() else {
        eprintln!("skipped: this user cannot make a control group");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let script = format!("echo $$ > {}/cgroup.procs; exec \"$0\" \"$@\"", group.0.display());
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_faceattend"), "serve", "--port", "0", "--data-dir"]);
    command.arg(folder.path()).env_remove("FACEATTEND_DATABASE").env_remove("FACEATTEND_CONFIG");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut server = Server(child);
    let heard = lines.find_map(|line| line.strip_prefix("Listening on http://").map(str::to_owned));
    let address = heard.unwrap().split(',').next().unwrap().to_owned();
    std::thread::spawn(move || lines.for_each(drop));

    let admin = json!({ "username": "admin", "password": "admin123" });
    let login = Client::at(&address, "").post("/auth/login", &admin).unwrap().1;
    let token = login["access_token"].as_str().unwrap_or_else(|| panic!("{login}"));
    let media = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/media/hopper/left.jpg");
    let picture = base64::engine::general_purpose::STANDARD.encode(std::fs::read(media).unwrap());
    let (analyzed, created, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let (began, mut slowest, seconds) = (Instant::now(), Duration::ZERO, 8);
    std::thread::scope(|scope| {
        for n in 0..7_usize {
            let (client, picture, admin) = (Client::at(&address, token), &picture, &admin);
            let (analyzed, created, refused) = (&analyzed, &created, &refused);
            scope.spawn(move || {
                for turn in 0.. {
                    if began.elapsed() > Duration::from_secs(seconds) {
                        return;
                    }
                    let new = json!({ "name": "A", "roll_number": format!("{n}-{turn}") });
                    let asked = match n {
                        0..5 => (analyzed, client.post("/face/recognize", &json!({ "image_data": picture }))),
                        5 => (created, client.post("/students/", &new)),
                        // A hash takes 19 MiB for as long as it is made.
                        _ => (analyzed, client.post("/auth/login", admin)),
                    };
                    match asked {
                        (count, Some((200, _))) => _ = count.fetch_add(1, Ordering::Relaxed),
                        (_, Some((503 | 429, _))) => _ = refused.fetch_add(1, Ordering::Relaxed),
                        (_, other) => panic!("{other:?}"),
                    }
                }
            });
        }
        let client = Client::at(&address, token);
        while began.elapsed() < Duration::from_secs(seconds) {
            let asked = Instant::now();
            assert_eq!(client.get("/health").unwrap().0, 200);
            slowest = slowest.max(asked.elapsed());
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    assert!(server.0.try_wait().unwrap().is_none(), "the server was killed for its memory");
    let total = Client::at(&address, token).get("/students/?limit=1").unwrap().1["total"].clone();
    let created = created.into_inner();
    assert_eq!(total, Value::from(created), "every student that was acknowledged is there");
    let mebibytes = group.peak() >> 20;
    println!(
        "in 300 MiB: {} requests, {created} students, {} told to come back; health {slowest:?} at most; at most \
         {mebibytes} MiB",
        analyzed.into_inner(),
        refused.into_inner()
    );
}
