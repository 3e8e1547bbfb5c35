//! Watches a camera or a recording and marks attendance for the people in a database made by the example `enrol`.
//!
//! ```text
//! cargo run --release --package faceattend-examples --example live_camera -- people.db examples/media/class.avi
//! cargo run --release --package faceattend-examples --features opencv --example live_camera -- people.db 0
//! cargo run --release --package faceattend-examples --features opencv --example live_camera -- people.db rtsp://...
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::sync::Arc;
use std::time::Duration;

use faceattend_core::attendance::Marking;
use faceattend_core::camera::WorkerOptions;
use faceattend_core::recognition::load_gallery;
use faceattend_core::{
    AttendancePolicy, CameraSource, CameraWorker, Engine, Gallery, Marker, RecognitionOptions, Recognizer, SqliteStore,
    Timestamp,
};
use faceattend_examples::Outcome;

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let (Some(database), Some(camera)) = (args.next(), args.next()) else {
        return Err("usage: live_camera DATABASE CAMERA".into());
    };
    let engine = Arc::new(Engine::new()?);
    let store = Arc::new(SqliteStore::open(&database)?);
    let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
    load_gallery(&gallery, &*store, None)?;
    println!("{} people are known", gallery.people());

    let marker = Arc::new(Marker::new(store, AttendancePolicy::in_system_time_zone()));
    let mut recognizer =
        Recognizer::new(engine, gallery, &RecognitionOptions::default()).with_marker(marker, Some("Front door".into()));
    let source = CameraSource::parse(&camera)?;
    let worker = CameraWorker::start(&source, WorkerOptions::default(), move |frame| {
        match recognizer.process(&frame, Timestamp::now()) {
            Ok(report) => {
                for mark in &report.marks {
                    if let Marking::Marked(record) = mark {
                        println!("{} is marked {} at {}", record.student_name, record.status, record.timestamp);
                    }
                }
            }
            Err(error) => eprintln!("{error}"),
        }
    })?;
    // A live camera runs until Ctrl-C; a recording ends by itself.
    while !worker.wait(Duration::from_secs(5)).is_over() {
        println!("{} frames analyzed", worker.health().analyzed);
    }
    Ok(())
}
