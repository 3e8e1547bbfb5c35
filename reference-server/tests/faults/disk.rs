//! A disk that is full, read-only or limited: every write is refused with a text that says what to do, nothing is half
//! written, what only reads goes on, and writes go on once there is room.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::common::server_process::ServerProcess;
use crate::database::Database;
use crate::load::{KNOWN, Promised, WORKERS, work};
use crate::server::{start, start_with_small_files};

/// A file system of a test's own, in a file.
struct Disk {
    folder: tempfile::TempDir,
    device: String,
}

impl Disk {
    /// Makes and mounts one; `None`, with a word about it, where this user may not.
    fn mount(megabytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        fs::File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
        fs::create_dir(folder.path().join("disk")).unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let done = Command::new(program).args(arguments).output();
            done.is_ok_and(|done| done.status.success())
        };
        let (file, place) = (image.to_str()?, folder.path().join("disk"));
        if !run("mkfs.ext4", &["-q", "-m", "0", file])
            || !run("mount", &["-o", "loop,errors=remount-ro", file, place.to_str()?])
        {
            eprintln!("skipped: this user cannot mount a file system; the test with a limit of files runs");
            return None;
        }
        let devices = Command::new("losetup").args(["-n", "-O", "NAME", "-j", file]).output().unwrap();
        let device = String::from_utf8(devices.stdout).unwrap().trim().replace("/dev/", "");
        Some(Self { folder, device })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn database(&self) -> String {
        self.path().join("face_attendance.db").to_str().unwrap().to_owned()
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut ballast = fs::File::create(self.path().join("ballast")).unwrap();
        for size in [1 << 16, 1 << 10, 1] {
            while std::io::Write::write_all(&mut ballast, &vec![7; size]).is_ok() {}
        }
    }

    fn empty(&self) {
        fs::remove_file(self.path().join("ballast")).unwrap();
    }

    /// Lets the file system find an error, at which it is mounted read-only with all its files open.
    fn fail(&self) -> bool {
        fs::write(Path::new("/sys/fs/ext4").join(&self.device).join("trigger_fs_error"), "1").is_ok()
    }

    /// Repairs and mounts it again.
    fn repair(&self) {
        assert!(Command::new("umount").arg(self.path()).status().unwrap().success());
        let image = self.folder.path().join("image");
        let _ = Command::new("e2fsck").args(["-f", "-y"]).arg(&image).output();
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(self.path()).status();
        assert!(mounted.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// A server with people, one of them marked, and what is needed for one request of each kind.
struct Prepared {
    server: ServerProcess,
    client: Client,
    token: String,
    session: String,
    mark: i64,
}

fn prepared(server: ServerProcess) -> Prepared {
    let (client, token) = Client::logged_in(&server);
    for identity in 0..KNOWN {
        let (status, answer) = client.enrol("Known", &format!("K{identity}"), identity).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    let mark = client.post("/attendance/mark?student_id=1", &Value::Null).unwrap().1;
    let mark = mark["data"]["attendance_id"].as_i64().unwrap();
    let session = client.complete(11).unwrap().unwrap();
    Prepared { server, client, token, session, mark }
}

impl Prepared {
    /// One request for each kind of write.
    fn writes(&self) -> Vec<(&'static str, u16, Value)> {
        let post = |path: &str, body: &Value| self.client.post(path, body).unwrap();
        let none = Value::Null;
        let register = json!({ "name": "Late", "roll_number": "L1", "session_id": self.session });
        let account = json!({ "username": "late", "password": "correct horse", "role": "viewer" });
        let answers = [
            ("a student", post("/students/", &json!({ "name": "New", "roll_number": "N1" }))),
            ("a session", post("/liveness/session", &json!({}))),
            ("an enrolment", post("/liveness/register-student", &register)),
            ("a mark", post("/attendance/mark?student_id=2", &none)),
            ("a mark of a camera", self.client.show(3).unwrap()),
            ("a correction", post(&format!("/test/correct/{}", self.mark), &none)),
            ("an erasure", self.client.delete("/students/8").unwrap()),
            ("an account", post("/auth/users", &account)),
            ("a login", post("/auth/login", &json!({ "username": "admin", "password": "admin123" }))),
        ];
        answers.into_iter().map(|(name, (status, answer))| (name, status, answer)).collect()
    }

    /// Everything is refused, with what to do, and what only reads is answered.
    fn refuses(&self, advice: &str, known: i64) {
        for (name, status, answer) in self.writes() {
            assert_eq!(status, 503, "{name}: {answer}");
            assert!(answer["detail"].as_str().unwrap().contains(advice), "{name}: {answer}");
        }
        let began = Instant::now();
        for path in ["/health", "/ready", "/students/", "/attendance/", "/auth/me"] {
            assert_eq!(self.client.get(path).unwrap().0, 200, "{path}");
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let count = |path: &str| self.client.get(path).unwrap().1["total"].as_i64().unwrap();
        assert_eq!((count("/students/"), count("/attendance/")), (known, 1), "nothing is half written");
    }

    /// Everything is done.
    fn goes_on(&self) {
        for (name, status, answer) in self.writes() {
            assert_eq!(status, 200, "{name}: {answer}");
        }
    }
}

#[test]
fn a_full_disk_refuses_writes_and_loses_none() {
    let Some(disk) = Disk::mount(24) else { return };
    let prepared = prepared(start(&disk.database()));
    disk.fill();
    prepared.refuses("the disk of the database is full; make room on it", i64::from(KNOWN));
    disk.empty();
    prepared.goes_on();

    // Clients that work while the disk becomes full, and then free again.
    let (numbers, began) = (AtomicU64::new(0), Instant::now());
    let mut promised = Promised::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|n| {
                let (client, numbers) = (Client::of(&prepared.server, &prepared.token), &numbers);
                scope.spawn(move || work(n, &client, numbers, &|| began.elapsed() > Duration::from_secs(4)))
            })
            .collect();
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(500));
            disk.fill();
            std::thread::sleep(Duration::from_millis(800));
            disk.empty();
        }
        for worker in workers {
            promised.join(worker.join().unwrap());
        }
    });
    println!("a disk that was full twice: {} writes acknowledged, {}", promised.writes, promised.says());
    promised.check(&prepared.client, &prepared.server.address().to_string(), "after the full disk");
    let Prepared { server, token, .. } = prepared;
    server.kill();
    let again = start(&disk.database());
    promised.check(&Client::of(&again, &token), &again.address().to_string(), "after the full disk and a kill");
}

#[test]
fn a_disk_that_becomes_read_only_refuses_writes_and_loses_none() {
    let Some(disk) = Disk::mount(24) else { return };
    let prepared = prepared(start(&disk.database()));
    if !disk.fail() {
        eprintln!("skipped: this kernel cannot be told to find an error on a file system");
        return;
    }
    prepared.refuses("the database", i64::from(KNOWN));
    let Prepared { server, token, session, mark, .. } = prepared;
    server.kill();
    disk.repair();
    let server = start(&disk.database());
    let client = Client::of(&server, &token);
    Prepared { server, client, token, session, mark }.goes_on();
}

#[test]
fn a_limit_of_files_refuses_writes_and_loses_none() {
    let database = Database::file();
    let small = prepared(start(&database.place()));
    let (token, session, mark) = (small.token.clone(), small.session.clone(), small.mark);
    small.server.kill();
    // Room for SQLite's index of the log (64 blocks) and little of the log.
    let server = start_with_small_files(&database.place(), 128);
    let client = Client::of(&server, &token);
    let limited = Prepared { server, client, token: token.clone(), session: session.clone(), mark };
    let mut refused = 0;
    for (name, status, answer) in limited.writes() {
        assert!(matches!(status, 200 | 503), "{name}: {status} {answer}");
        refused += usize::from(status == 503);
    }
    assert!(refused > 4, "{refused} writes were refused");
    assert_eq!(limited.client.get("/health").unwrap().0, 200);
    assert_eq!(limited.client.get("/students/").unwrap().0, 200);
    limited.server.kill();
    database.check_whole("after the limit");
    let server = start(&database.place());
    let client = Client::of(&server, &token);
    assert_eq!(client.post("/students/", &json!({ "name": "B", "roll_number": "B1" })).unwrap().0, 200);
}
