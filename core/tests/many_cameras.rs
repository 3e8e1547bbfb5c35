//! Many cameras in one process: how many threads they hold, and what those do that work beside those that do not. A
//! process of its own, because threads are counted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use faceattend_core::camera::{CameraSource, CameraState, CameraWorker, FrameSource, Nature, Scheduler, WorkerOptions};
use faceattend_core::{ChannelOrder, Error, Frame, Result};

/// Far more than any machine of a school watches.
const MANY: usize = 1500;
/// At most so many threads open and probe cameras.
const OPENERS: usize = 16;
const SOON: Duration = Duration::from_secs(60);

/// The threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn scheduler(cameras: usize) -> Scheduler {
    Scheduler::with_max_cameras(NonZero::new(2).unwrap(), NonZero::new(cameras).unwrap()).unwrap()
}

/// Looks again and again until the time is over; the greatest number of threads.
fn most_threads(time: Duration) -> usize {
    let begun = Instant::now();
    let mut most = 0;
    while begun.elapsed() < time {
        most = most.max(threads());
        std::thread::sleep(Duration::from_millis(20));
    }
    most
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SOON, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Gives a frame every ten milliseconds.
struct Good;

impl FrameSource for Good {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        std::thread::sleep(Duration::from_millis(10));
        Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb).map(Some)
    }

    fn frame_interval(&self) -> Option<Duration> {
        None
    }
}

/// One test, so that no other has threads meanwhile.
#[test]
#[cfg(target_os = "linux")]
fn fifteen_hundred_cameras_hold_few_threads() {
    wrong_addresses();
    servers_that_say_nothing();
    replayed_files();
    no_more_than_there_is_room_for();
    wait_for("the threads of stopped cameras end", || threads() <= 3);
}

/// Nothing listens there: every attempt fails at once, and every camera is tried again.
fn wrong_addresses() {
    let (scheduler, before) = (scheduler(MANY), threads());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let source = CameraSource::parse(&format!("http://127.0.0.1:{free}/video")).unwrap();
    let start = || CameraWorker::start_on(&scheduler, &source, WorkerOptions::default(), drop).unwrap();
    let workers: Vec<CameraWorker> = (0..MANY).map(|_| start()).collect();
    let most = most_threads(Duration::from_secs(3));
    assert!(most <= before + OPENERS, "{most} threads");
    wait_for("every camera was tried", || {
        workers.iter().all(|worker| {
            let health = worker.health();
            health.state == CameraState::Reconnecting && health.last_error.is_some_and(|e| e.contains("refused"))
        })
    });
    let begun = Instant::now();
    CameraWorker::stop_all(&workers);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(workers.iter().all(|worker| worker.health().state == CameraState::Stopped));
}

/// Servers that accept and say nothing: opening one takes ten seconds, and a camera that works does not wait for them.
fn servers_that_say_nothing() {
    let (scheduler, before) = (scheduler(MANY), threads());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = CameraSource::parse(&format!("http://{}/video", silent.local_addr().unwrap())).unwrap();
    let start = || CameraWorker::start_on(&scheduler, &source, WorkerOptions::default(), drop).unwrap();
    let silent_ones: Vec<CameraWorker> = (0..200).map(|_| start()).collect();
    let seen = Arc::new(AtomicUsize::new(0));
    let (counted, opens) = (seen.clone(), || Ok(Box::new(Good) as Box<dyn FrameSource>));
    let consumer = move |_: Frame<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let begun = Instant::now();
    let options = WorkerOptions::default();
    let good = CameraWorker::start_with_on(&scheduler, "good", Nature::Live, options, opens, consumer).unwrap();
    wait_for("the camera that works gives frames", || seen.load(Ordering::SeqCst) > 3);
    // 0.7 s a probe, sixteen at a time; opening them one after the other would take two minutes.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let most = most_threads(Duration::from_secs(1));
    assert!(most <= before + OPENERS + 1, "{most} threads");
    let begun = Instant::now();
    CameraWorker::stop_all(silent_ones.iter().chain([&good]));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// Recordings, on a scheduler as a server makes it: those within its limit play, the others are refused.
fn replayed_files() {
    let (scheduler, before) = (Scheduler::new(NonZero::new(2).unwrap()).unwrap(), threads());
    let source = CameraSource::parse("../examples/media/class.avi").unwrap();
    let start = |_| CameraWorker::start_on(&scheduler, &source, WorkerOptions::default().with_rate(1.0), drop);
    let (mut workers, mut refused) = (Vec::new(), Vec::new());
    for started in (0..MANY).map(start) {
        match started {
            Ok(worker) => workers.push(worker),
            Err(error) => refused.push(error),
        }
    }
    let limit = scheduler.max_cameras().get();
    assert_eq!((workers.len(), limit, scheduler.is_full()), (64, 64, true));
    assert!(refused.iter().all(|error| matches!(error, Error::State { .. })), "{:?}", refused.first());
    let text = refused[0].to_string();
    assert!(text.starts_with("cameras: 64 are watched already") && text.contains("stop one"), "{text}");
    let most = most_threads(Duration::from_secs(2));
    assert!(most <= before + limit + OPENERS, "{most} threads");
    assert!(workers.iter().any(|worker| worker.health().captured > 0));
}

/// A camera that is stopped, or is over, makes room for another.
fn no_more_than_there_is_room_for() {
    let scheduler = scheduler(2);
    let clip = CameraSource::parse("../examples/media/hopper/turn.avi").unwrap();
    let missing = CameraSource::parse("no/such/clip.avi").unwrap();
    let start = |source| CameraWorker::start_on(&scheduler, source, WorkerOptions::default(), drop);
    let (first, over) = (start(&clip).unwrap(), start(&missing).unwrap());
    assert_eq!(over.wait(SOON), CameraState::Failed);
    wait_for("one that failed makes room", || scheduler.cameras() == 1);
    let second = start(&clip).unwrap();
    assert!(start(&clip).is_err());
    first.stop();
    let third = start(&clip).unwrap();
    assert!(start(&clip).is_err());
    drop((second, third));
    assert_eq!(scheduler.cameras(), 0);
}
