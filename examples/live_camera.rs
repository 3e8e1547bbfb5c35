//! Watches a camera or a recording and marks attendance for the people in a database made by the example `enrol`.
//!
//! A camera marks the living alone. Whoever is recognized and does not show to be alive is on the second-look list of
//! the database. A recording marks everybody.
//!
//! ```text
//! cargo run --release --package faceattend-examples --example live_camera -- people.db examples/media/class.avi
//! cargo run --release --package faceattend-examples --example live_camera -- people.db 0
//! cargo run --release --package faceattend-examples --example live_camera -- people.db rtsp://...
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use faceattend_core::attendance::Marking;
use faceattend_core::camera::WorkerOptions;
use faceattend_core::gate::{GateOptions, GatePolicy};
use faceattend_core::recognition::{RecognitionReport, load_gallery};
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
    let source = CameraSource::parse(&camera)?;
    let gate = GateOptions::of(GatePolicy::usual_for(source.nature()));
    let recognizer = Recognizer::new(engine, gallery, &RecognitionOptions::default().with_gate(gate))
        .with_marker(marker, Some("Front door".into()));
    let recognizer = Arc::new(Mutex::new(recognizer));
    let watching = Arc::clone(&recognizer);
    let worker = CameraWorker::start(&source, WorkerOptions::default(), move |frame| {
        let now = frame.captured_at().unwrap_or_else(Timestamp::now);
        match watching.lock().unwrap_or_else(PoisonError::into_inner).process(&frame, now) {
            Ok(report) => tell(&report),
            Err(error) => eprintln!("{error}"),
        }
    })?;
    // A live camera runs until Ctrl-C; a recording ends by itself.
    while !worker.wait(Duration::from_secs(5)).is_over() {
        println!("{} frames analyzed", worker.health().analyzed);
    }
    // Whoever was being watched at the end goes on the second-look list.
    tell(&recognizer.lock().unwrap_or_else(PoisonError::into_inner).finish()?);
    Ok(())
}

fn tell(report: &RecognitionReport) {
    for mark in &report.marks {
        if let Marking::Marked(record) = mark {
            println!("{} is marked {} at {}", record.student_name, record.status, record.timestamp);
        }
    }
    for seen in &report.suspected {
        println!("a picture of student {} is suspected", seen.student);
    }
    for seen in &report.second_looks {
        let why = seen.life.reason.map_or("no reason", |reason| reason.as_str());
        println!("student {} is not marked: somebody has to look ({why})", seen.student);
    }
}
