//! Cameras over a real network protocol: GStreamer's RTSP server on loopback, playing the project's own media, with
//! everything that real cameras do to their viewers.
//!
//! Needs Debian's `gir1.2-gst-rtsp-server-1.0`, `python3-gi` and the GStreamer plugins; where they are missing the
//! tests say so and pass. The long runs are for the command line, the figures on standard output:
//!
//! ```text
//! cargo test -p faceattend-core --test rtsp -- --ignored --nocapture fifty_cuts
//! FACEATTEND_SOAK_SECONDS=3600 \
//!     cargo test -p faceattend-core --test rtsp -- --ignored --nocapture soak
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says its figures"
)]

#[path = "common/opencv.rs"]
mod opencv;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use faceattend_core::camera::{CameraSource, CameraState, CameraWorker, OpenOptions, WorkerOptions, open};

/// Longer than anything here takes on a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(60);

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rtsp/server.py")
}

/// Debian's own Python, which has the bindings; another may come first in the path.
fn python() -> Command {
    let debian = "/usr/bin/python3";
    Command::new(if Path::new(debian).exists() { debian } else { "python3" })
}

/// Whether the server can run here; says why not.
fn can_serve() -> bool {
    if !opencv::opencv_is_there() {
        return false;
    }
    match python().arg(script()).arg("--check").output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().lines().last().unwrap_or_default().to_owned();
            println!("skipped: GStreamer's RTSP server is not there: {why}");
            false
        }
        Err(error) => {
            println!("skipped: python3 does not run: {error}");
            false
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Server(Child);

impl Server {
    /// Returns when it listens.
    fn start(port: u16, options: &[&str]) -> Self {
        let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/media/class.avi");
        let mut child = python()
            .arg(script())
            .args(["--port", &port.to_string(), "--clip"])
            .arg(clip)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        Self(child)
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A worker on the stream, and the width of its last frame, 0 until there is one.
fn watch(url: &str) -> (CameraWorker, Arc<AtomicU32>) {
    let width = Arc::new(AtomicU32::new(0));
    let seen = width.clone();
    let source = CameraSource::parse(url).unwrap();
    let worker = CameraWorker::start(&source, WorkerOptions::default(), move |frame| {
        seen.store(frame.width(), Ordering::SeqCst);
    });
    (worker.unwrap(), width)
}

/// Waits for `frames` more frames; how long the first of them took.
fn more_frames(worker: &CameraWorker, frames: u64) -> Duration {
    let (begun, before) = (Instant::now(), worker.health().captured);
    let mut first = None;
    while worker.health().captured < before + frames {
        assert!(begun.elapsed() < PATIENCE, "no frame came: {:?}", worker.health());
        if worker.health().captured > before {
            first.get_or_insert(begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    first.unwrap_or_else(|| begun.elapsed())
}

fn wait_for(worker: &CameraWorker, state: CameraState) {
    let begun = Instant::now();
    while worker.health().state != state {
        assert!(begun.elapsed() < PATIENCE, "not {state:?}: {:?}", worker.health());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_stream_is_watched_and_a_slow_one_is_waited_for() {
    if !can_serve() {
        return;
    }
    for options in [&[][..], &["--slow", "3"]] {
        let port = free_port();
        let _server = Server::start(port, options);
        let (worker, width) = watch(&format!("rtsp://127.0.0.1:{port}/live"));
        println!("{options:?}: the first frame after {:.2} s", more_frames(&worker, 10).as_secs_f32());
        let health = worker.health();
        assert_eq!((health.state, health.reconnects, width.load(Ordering::SeqCst)), (CameraState::Running, 0, 640));
        assert!(health.last_frame_age.unwrap() < PATIENCE && health.captured_per_second > 0.0, "{health:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_stream_is_decoded_by_the_thread_that_reads_it() {
    if !can_serve() {
        return;
    }
    let port = free_port();
    let _server = Server::start(port, &[]);
    let source = CameraSource::parse(&format!("rtsp://127.0.0.1:{port}/live")).unwrap();
    // A thread bears the name of the one that starts it, and other tests have threads too.
    const NAME: &str = "reads-a-stream";
    let reading = std::thread::Builder::new().name(NAME.into()).spawn(move || {
        let mut stream = open(&source, &OpenOptions::default()).unwrap();
        for _ in 0..10 {
            stream.next_frame().unwrap();
        }
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.filter(|name| name.trim() == NAME).count()
    });
    // OpenCV's own choice is a thread more for each core of the machine.
    assert_eq!(reading.unwrap().join().unwrap(), 1);
}

#[test]
fn a_server_that_comes_back_with_another_codec_is_watched_on() {
    if !can_serve() {
        return;
    }
    let port = free_port();
    let server = Server::start(port, &[]);
    let (worker, _) = watch(&format!("rtsp://127.0.0.1:{port}/live"));
    more_frames(&worker, 5);
    drop(server);
    wait_for(&worker, CameraState::Reconnecting);
    let _server = Server::start(port, &["--codec", "jpeg"]);
    println!("back with another codec after {:.2} s", more_frames(&worker, 5).as_secs_f32());
    assert_eq!((worker.health().state, worker.health().reconnects), (CameraState::Running, 1));
}

#[test]
fn a_wrong_password_is_no_camera_and_is_never_told() {
    if !can_serve() {
        return;
    }
    let port = free_port();
    let _server = Server::start(port, &["--user", "viewer", "--password", "r1ght"]);
    let (worker, _) = watch(&format!("rtsp://viewer:S3CRET@127.0.0.1:{port}/live"));
    wait_for(&worker, CameraState::Reconnecting);
    let told = format!("{worker:?} {:?}", worker.health());
    assert!(told.contains("viewer:***@") && !told.contains("S3CRET"), "{told}");
    assert_eq!(worker.health().captured, 0);
    let (worker, _) = watch(&format!("rtsp://viewer:r1ght@127.0.0.1:{port}/live"));
    more_frames(&worker, 3);
}

#[test]
fn a_stop_is_prompt_while_a_read_hangs() {
    if !can_serve() {
        return;
    }
    let port = free_port();
    let server = Server::start(port, &[]);
    let (worker, _) = watch(&format!("rtsp://127.0.0.1:{port}/live"));
    more_frames(&worker, 3);
    server.signal("-STOP");
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    worker.stop();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

/// What this process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    threads: u64,
    files: usize,
    megabytes: u64,
}

fn held() -> Held {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    Held { threads: value("Threads:"), files, megabytes: value("VmRSS:") / 1024 }
}

/// Cuts the stream again and again, by killing its server and by freezing it, and gives the times from the stream's
/// return to the next frame.
fn cut(port: u16, worker: &CameraWorker, mut server: Server, go_on: impl Fn(usize) -> bool) -> Vec<Duration> {
    let mut times = Vec::new();
    while go_on(times.len()) {
        // Times without a pattern: from half a second to seven.
        let away = Duration::from_millis(500 + (times.len() as u64 * 2_654_435_761) % 6500);
        let time = if times.len() % 3 == 2 {
            server.signal("-STOP");
            std::thread::sleep(away);
            server.signal("-CONT");
            more_frames(worker, 10)
        } else {
            drop(server);
            std::thread::sleep(away);
            server = Server::start(port, &[]);
            more_frames(worker, 10)
        };
        println!("cut {}: away {:.1} s, back after {:.2} s", times.len() + 1, away.as_secs_f32(), time.as_secs_f32());
        times.push(time);
    }
    times
}

fn run_cuts(go_on: impl Fn(usize) -> bool) -> (Vec<Duration>, Held, Held) {
    let port = free_port();
    let server = Server::start(port, &[]);
    let (worker, _) = watch(&format!("rtsp://127.0.0.1:{port}/live"));
    more_frames(&worker, 10);
    // What the first cut makes for good (a resolver, a pool) is no leak.
    let warm = cut(port, &worker, server, |done| done < 1);
    let server = Server::start(port, &[]);
    more_frames(&worker, 10);
    let before = held();
    let times = cut(port, &worker, server, go_on);
    let _server = Server::start(port, &[]);
    more_frames(&worker, 10);
    let after = held();
    println!("before {before:?}, after {after:?}; {:?}", worker.health());
    (warm.into_iter().chain(times).collect(), before, after)
}

#[test]
fn a_stream_that_is_cut_comes_back_and_costs_nothing_each_time() {
    if !can_serve() {
        return;
    }
    let (times, before, after) = run_cuts(|done| done < 3);
    assert_eq!(times.len(), 4);
    assert!(after.threads <= before.threads && after.files <= before.files, "{before:?} {after:?}");
}

#[test]
#[ignore = "takes six minutes"]
fn fifty_cuts() {
    assert!(can_serve());
    let (mut times, before, after) = run_cuts(|done| done < 49);
    times.sort();
    let within = times.iter().filter(|time| **time <= Duration::from_secs(3)).count();
    println!(
        "{within} of {} back within 3 s; median {:.2} s, longest {:.2} s; {before:?} {after:?}",
        times.len(),
        times[times.len() / 2].as_secs_f32(),
        times[times.len() - 1].as_secs_f32()
    );
    assert_eq!(within, times.len());
}

#[test]
#[ignore = "takes an hour, or FACEATTEND_SOAK_SECONDS"]
fn soak() {
    assert!(can_serve());
    let seconds = std::env::var("FACEATTEND_SOAK_SECONDS").map_or(3600, |text| text.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let (times, before, after) = run_cuts(|_| Instant::now() < until);
    println!("{} cuts in {seconds} s: {before:?} {after:?}", times.len());
    assert!(after.threads <= before.threads && after.files <= before.files, "{before:?} {after:?}");
    assert!(after.megabytes <= before.megabytes + 20, "{before:?} {after:?}");
}
