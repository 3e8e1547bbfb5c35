//! The worker over a recording, and over a camera that fails and comes back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::*;
use super::{color_of, jpegs};
use crate::error::{Error, Result};
use crate::frame::{ChannelOrder, Frame};

const SOON: Duration = Duration::from_secs(10);

fn folder_of(frames: usize) -> (CameraSource, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (n, bytes) in jpegs().into_iter().cycle().take(frames).enumerate() {
        std::fs::write(folder.path().join(format!("{n:03}.jpg")), bytes).unwrap();
    }
    (CameraSource::parse(folder.path().to_str().unwrap()).unwrap(), folder)
}

fn every(interval: Duration) -> WorkerOptions {
    WorkerOptions::default().with_open(OpenOptions::default().with_folder_interval(interval))
}

/// A live camera that does what a script says; each `open` takes the next one.
struct Scripted(VecDeque<Step>);

enum Step {
    Give,
    Fail,
    /// Hangs, as a driver may.
    Hang(Duration),
}

impl FrameSource for Scripted {
    fn next_frame(&mut self) -> Result<Option<Frame<'static>>> {
        match self.0.pop_front() {
            Some(Step::Give) => Ok(Some(Frame::new(vec![0; 3], 1, 1, ChannelOrder::Rgb)?)),
            Some(Step::Fail) => Err(lost()),
            Some(Step::Hang(time)) => {
                std::thread::sleep(time);
                Err(lost())
            }
            None => Ok(None),
        }
    }

    fn frame_interval(&self) -> Option<Duration> {
        None
    }
}

fn lost() -> Error {
    Error::Camera { camera: "test".into(), reason: "cable pulled".into() }
}

/// A worker over the scripts, each for one opening (`None`: it fails to open), and the frames that it hands out.
fn over(scripts: Vec<Option<Vec<Step>>>) -> (CameraWorker, Receiver<()>, Arc<AtomicUsize>) {
    let (seen, frames) = channel();
    let openings = Arc::new(AtomicUsize::new(0));
    let counted = openings.clone();
    let scripts = Mutex::new(VecDeque::from(scripts));
    let worker = CameraWorker::start_with(
        "test",
        Nature::Live,
        WorkerOptions::default().with_pauses(Duration::from_millis(5), Duration::from_millis(20)),
        move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let script = scripts.lock().unwrap().pop_front().flatten().ok_or_else(lost)?;
            Ok(Box::new(Scripted(script.into())) as Box<dyn FrameSource>)
        },
        move |_| {
            let _ = seen.send(());
        },
    );
    (worker.unwrap(), frames, openings)
}

#[test]
fn a_recording_as_fast_as_it_is_analyzed_loses_no_frame() {
    let (source, _folder) = folder_of(12);
    let (seen, frames) = channel();
    let options = every(Duration::from_secs(3600)).with_pace(Pace::AsAnalyzed);
    let worker = CameraWorker::start(&source, options, move |frame| {
        std::thread::sleep(Duration::from_millis(3));
        seen.send(color_of(&frame)).unwrap();
    })
    .unwrap();
    assert_eq!(worker.wait(SOON), CameraState::Stopped);
    assert_eq!(frames.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]);
    let health = worker.health();
    assert_eq!((health.captured, health.analyzed, health.dropped, health.last_error), (12, 12, 0, None));
}

#[test]
fn a_recording_is_played_at_its_own_pace() {
    let (source, _folder) = folder_of(6);
    let begun = Instant::now();
    let worker = CameraWorker::start(&source, every(Duration::from_millis(60)), |_| {}).unwrap();
    assert_eq!(worker.wait(SOON), CameraState::Stopped);
    assert!(begun.elapsed() >= Duration::from_millis(5 * 60), "{:?}", begun.elapsed());
    assert_eq!(worker.health().captured, 6);
}

#[test]
fn a_slow_consumer_sees_the_newest_frame_only() {
    let (source, _folder) = folder_of(50);
    let interval = Duration::from_millis(10);
    let (seen, frames) = channel();
    let mut first = None;
    let worker = CameraWorker::start(&source, every(interval), move |frame| {
        // The capture time tells which frame it is: one interval each.
        let at = frame.captured_at().unwrap();
        let number = at.duration_since(*first.get_or_insert(at)).as_millis() / 10;
        seen.send((number, Instant::now())).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    })
    .unwrap();
    assert_eq!(worker.wait(SOON), CameraState::Stopped);
    let frames: Vec<_> = frames.iter().collect();
    let health = worker.health();
    assert_eq!(health.analyzed as usize, frames.len());
    assert_eq!(health.analyzed + health.dropped, health.captured);
    assert!(health.dropped > 20, "{health:?}");
    assert_eq!(frames.last().unwrap().0, 49, "the last frame of a recording is analyzed");
    for pair in frames.windows(2) {
        // Each is as new as the time that has passed says, within what a busy machine needs.
        let passed = pair[1].1.duration_since(pair[0].1).as_millis() as i128;
        let newer = (pair[1].0 - pair[0].0) * 10;
        assert!(pair[1].0 == 49 || newer >= passed - 60, "{newer} ms newer after {passed} ms");
    }
}

#[test]
fn a_camera_that_fails_is_opened_again_until_it_is_back() {
    use Step::{Fail, Give};
    let (worker, frames, openings) =
        over(vec![None, Some(vec![Fail]), None, Some(vec![Give, Fail]), Some(vec![Give]), Some(vec![Give])]);
    for n in 0..3 {
        frames.recv_timeout(SOON).unwrap_or_else(|_| panic!("frame {n} did not come: {worker:?}"));
    }
    let health = worker.health();
    assert!(!health.state.is_over(), "{health:?}");
    assert_eq!((health.captured, openings.load(Ordering::SeqCst) >= 6), (3, true));
    assert!(health.last_error.as_deref().is_some_and(|e| e.starts_with("camera test: ")), "{health:?}");
    assert!(health.last_frame_age.is_some());
    worker.stop();
    let after = openings.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!((worker.health().state, openings.load(Ordering::SeqCst)), (CameraState::Stopped, after));
}

#[test]
fn the_states_are_those_of_what_happens() {
    let (worker, frames, _) = over(vec![Some(vec![Step::Give, Step::Hang(Duration::from_secs(3600))])]);
    frames.recv_timeout(SOON).unwrap();
    assert_eq!(worker.health().state, CameraState::Running);
    drop(worker);

    let (worker, _frames, openings) = over(vec![]);
    let begun = Instant::now();
    while openings.load(Ordering::SeqCst) < 3 && begun.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(worker.health().state, CameraState::Reconnecting);
    assert_eq!(worker.health().last_frame_age, None);

    let (worker, _frames, _) = over(vec![Some(vec![Step::Hang(Duration::from_secs(3600))])]);
    assert_eq!(worker.health().state, CameraState::Connecting);
}

#[test]
fn what_cannot_come_back_has_failed() {
    let missing = CameraSource::parse("no/such/clip.avi").unwrap();
    let worker = CameraWorker::start(&missing, WorkerOptions::default(), |_| {}).unwrap();
    assert_eq!(worker.wait(SOON), CameraState::Failed);
    assert!(worker.health().last_error.unwrap().contains("clip.avi"));
    worker.stop();
    assert_eq!(worker.health().state, CameraState::Failed, "a stop does not hide why it ended");
}

#[test]
fn a_camera_that_has_failed_lets_its_consumer_go() {
    let (held, gone) = channel::<()>();
    let missing = CameraSource::parse("no/such/clip.avi").unwrap();
    let worker = CameraWorker::start(&missing, WorkerOptions::default(), move |_| {
        let _ = &held;
    })
    .unwrap();
    assert_eq!(gone.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected), "what it holds may keep a program alive");
    assert_eq!(worker.health().state, CameraState::Failed);
}

#[test]
fn a_stop_takes_less_than_a_second_whatever_hangs() {
    let hang = Duration::from_secs(3600);
    let (in_driver, frames, _) = over(vec![Some(vec![Step::Give, Step::Hang(hang)])]);
    frames.recv_timeout(SOON).unwrap();
    let (source, _folder) = folder_of(3);
    let between_frames = CameraWorker::start(&source, every(hang), |_| {}).unwrap();
    let (entered, inside) = channel();
    let in_consumer = CameraWorker::start(&source, every(Duration::from_millis(1)), move |_| {
        entered.send(()).unwrap();
        std::thread::sleep(hang);
    })
    .unwrap();
    inside.recv_timeout(SOON).unwrap();
    for worker in [in_driver, between_frames, in_consumer] {
        let begun = Instant::now();
        worker.stop();
        assert!(begun.elapsed() < Duration::from_secs(1), "{worker:?}: {:?}", begun.elapsed());
        assert_eq!(worker.health().state, CameraState::Stopped);
    }
}

#[test]
fn nothing_is_analyzed_after_a_stop() {
    let (source, _folder) = folder_of(50);
    let analyzed = Arc::new(AtomicUsize::new(0));
    let counted = analyzed.clone();
    let worker = CameraWorker::start(&source, every(Duration::from_millis(2)), move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    })
    .unwrap();
    let begun = Instant::now();
    while analyzed.load(Ordering::SeqCst) < 3 && begun.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(1));
    }
    worker.stop();
    let at_stop = analyzed.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(30));
    assert!(at_stop >= 3);
    assert_eq!(analyzed.load(Ordering::SeqCst), at_stop);
}

#[test]
fn a_consumer_that_panics_fails_the_camera_and_nothing_else() {
    let (source, _folder) = folder_of(5);
    let worker = CameraWorker::start(&source, every(Duration::from_millis(1)), |_| -> () { panic!("a bug") }).unwrap();
    assert_eq!(worker.wait(SOON), CameraState::Failed);
    assert_eq!(worker.health().last_error.as_deref(), Some("the camera's thread panicked"));
}
