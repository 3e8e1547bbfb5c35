//! Finds faces, recognizes people and checks that a living person is in front of the camera.
//!
//! The crate holds everything that knows about faces: detection, head pose, embeddings, matching, liveness sessions,
//! cameras, attendance and its database. It needs no network and no GPU, and it keeps face embeddings, never
//! photographs. The default models are part of the library and are free for commercial use.
//!
//! # Start here
//!
//! An [`Engine`] takes a [`Frame`] and returns the [`Face`]s in it:
//!
//! ```
//! use faceattend_core::{AnalyzeOptions, Engine, Frame};
//!
//! let engine = Engine::new()?;
//! let frame = Frame::open("../examples/media/hopper/left.jpg")?;
//! for face in engine.analyze(&frame, &AnalyzeOptions::default())?.faces {
//!     println!("{:?} {:?} {:?}", face.bbox, face.pose, face.embedding);
//! }
//! # Ok::<(), faceattend_core::Error>(())
//! ```
//!
//! # Who is it?
//!
//! [`Engine::embed`] takes the one face of a picture. A [`Gallery`] holds the people who are known and finds the most
//! similar one. A [`Threshold`] decides whether that is similar enough.
//!
//! ```
//! use faceattend_core::{Engine, Frame, Gallery, Identification, StudentId, Threshold};
//!
//! let engine = Engine::new()?;
//! let gallery = Gallery::new(engine.embedder().clone());
//! for (number, name) in [(1, "collins"), (2, "hopper")] {
//!     let picture = Frame::open(format!("../examples/media/{name}/center.jpg"))?;
//!     gallery.insert(StudentId(number), &[engine.embed(&picture)?.into_template()?])?;
//! }
//!
//! let probe = engine.embed(&Frame::open("../examples/media/hopper/yaw+15.jpg")?)?;
//! let probe = probe.into_embedding().expect("a face");
//! match gallery.identify(&probe, Threshold::DOCUMENTED)? {
//!     Identification::Known { best, .. } => assert_eq!(best.student, StudentId(2)),
//!     Identification::Unknown { .. } => println!("nobody who is known"),
//! }
//! # Ok::<(), faceattend_core::Error>(())
//! ```
//!
//! # Is it a living person?
//!
//! A [`LivenessSession`] asks a person to look straight, left and right. It is a state machine: analyzed frames and
//! the time go in, an [`Outcome`] comes out, and a completed session gives the templates to enrol the person by.
//!
//! ```
//! use faceattend_core::liveness::Mirrored;
//! use faceattend_core::{
//!     AnalyzeOptions, Engine, Frame, LivenessOptions, LivenessSession, Observation, Position, SessionId, Timestamp,
//! };
//!
//! let engine = Engine::new()?;
//! let options = LivenessOptions::default().with_mirrored(Mirrored::No);
//! let mut session = LivenessSession::new(SessionId::random(), None, options, Timestamp::now());
//! for position in [Position::Center, Position::Left, Position::Right] {
//!     let frame = Frame::open(format!("../examples/media/hopper/{}.jpg", position.as_str()))?;
//!     let analysis = engine.analyze(&frame, &AnalyzeOptions::default())?;
//!     let seen = Observation::new(position, &frame, &analysis, engine.embedder());
//!     let outcome = session.observe(&seen, Timestamp::now());
//!     println!("{position:?}: {:?}", outcome.reasons);
//! }
//! assert!(session.is_completed());
//! let templates = session.consume()?;
//! # assert_eq!(templates.len(), 3);
//! # Ok::<(), faceattend_core::Error>(())
//! ```
//!
//! # Who came today?
//!
//! A [`Recognizer`] follows the faces of one camera and marks the people whom it knows, once a day, in a [`Store`].
//! [`CameraWorker`] feeds it from a thread of its own.
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use std::sync::Arc;
//!
//! use faceattend_core::recognition::load_gallery;
//! use faceattend_core::{
//!     AttendancePolicy, Engine, Frame, Gallery, Marker, RecognitionOptions, Recognizer, SqliteStore, Timestamp,
//! };
//!
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("people.db");
//! let engine = Arc::new(Engine::new()?);
//! let store = Arc::new(SqliteStore::open(path)?);
//! let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
//! load_gallery(&gallery, &*store, None)?;
//!
//! let marker = Arc::new(Marker::new(store, AttendancePolicy::in_time_zone("Europe/Berlin")?));
//! let mut recognizer = Recognizer::new(engine, gallery, &RecognitionOptions::default())
//!     .with_marker(marker, Some("Front door".into()));
//! let frame = Frame::open("../examples/media/hopper/center.jpg")?;
//! let report = recognizer.process(&frame, Timestamp::now())?;
//! println!("{} faces, {} marks", report.faces.len(), report.marks.len());
//! # Ok::<(), faceattend_core::Error>(())
//! ```
//!
//! # The nouns
//!
//! | to | use |
//! |---|---|
//! | read pictures | [`Frame`], [`ChannelOrder`], [`decode`] for limits of your own |
//! | analyze them | [`Engine`], [`EngineBuilder`], [`AnalyzeOptions`], [`Depth`], [`Selection`], [`FaceEngine`] |
//! | read the answer | [`Analysis`], [`Face`], [`SingleFace`], [`Pose`], [`Quality`], [`Embedding`] |
//! | compare and search | [`Similarity`], [`Threshold`], [`Gallery`], [`Identification`] |
//! | check liveness | [`LivenessSession`], [`LivenessOptions`], [`Observation`], [`Position`], [`Outcome`] |
//! | enrol and erase | [`Registry`] |
//! | watch cameras | [`CameraSource`], [`CameraWorker`], [`Recognizer`], [`RecognitionOptions`] |
//! | mark and keep | [`Marker`], [`AttendancePolicy`], [`Store`], `SqliteStore`, `PostgresStore` |
//! | tell them apart | [`StudentId`], [`SessionId`], [`ModelId`] |
//!
//! The modules hold the rest: [`models`] (packs, downloads), [`evaluation`] (error rates and their intervals),
//! [`tracking`], [`motion`], [`geometry`].
//!
//! # Outcomes and errors
//!
//! An expected outcome is a value: no face, several faces, a wrong pose, nobody who is known. An [`Error`] says what is
//! wrong with an argument, a file or the machine, and what to do next. [`Error::kind`] gives the [`ErrorKind`] that
//! programs decide by.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `embedded-models` | yes | the default model pack (11.8 MB) inside the library |
//! | `sqlite` | yes | `SqliteStore`, with SQLite built in |
//! | `receipts` | yes | signed receipts of liveness sessions |
//! | `postgres` | no | `PostgresStore` |
//! | `encryption` | no | templates encrypted at rest |
//! | `opencv` | no | links the system's OpenCV, which is loaded at run time otherwise |
//! | `roster-files` | no | lists of students from CSV files and Excel workbooks |
//! | `download` | no | fetching further model packs |
//! | `fetch-runtime` | no | the build fetches ONNX Runtime's library for this machine |
//! | `cuda`, `tensorrt`, `coreml`, `directml`, `openvino` | no | execution providers of ONNX Runtime |
//!
//! # ONNX Runtime
//!
//! The models run in ONNX Runtime 1.24 or newer, a shared library that is loaded when the first engine is built. The
//! first of these that exists is used:
//!
//! 1. the path given to [`EngineBuilder::with_onnxruntime`];
//! 2. the path in the environment variable `ORT_DYLIB_PATH`;
//! 3. a library beside the executable or in `../lib` of it;
//! 4. the Python package `onnxruntime` of the environment that the executable lies in;
//! 5. the user's cache, which the feature `fetch-runtime` fills, and `cargo xtask setup` of the repository;
//! 6. the Python package `onnxruntime` of the active virtual environment;
//! 7. the system's library folders.
//!
//! On a machine without the repository one line is enough:
//!
//! ```toml
//! faceattend-core = { version = "0.1", features = ["fetch-runtime"] }
//! ```
//!
//! The build then takes the library out of the package `onnxruntime` of the Python registry, with `python3 -m pip`,
//! and into the user's cache, unless it is there. It must have the pinned hash. Nothing is fetched without the feature.
//! A program that is taken to another machine needs the library beside it there.
//!
//! # More
//!
//! - [Programs to copy from](https://github.com/faceattend/faceattend/tree/main/examples): `enrol`, `verify`,
//!   `liveness`, `live_camera`.
//! - [The book](https://github.com/faceattend/faceattend/tree/main/docs): cookbook, liveness, evaluation, deployment.
//! - [Architecture](https://github.com/faceattend/faceattend/blob/main/ARCHITECTURE.md) and
//!   [design](https://github.com/faceattend/faceattend/blob/main/DESIGN.md).

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod alerts;
pub mod alignment;
pub mod antispoof;
pub mod attendance;
pub mod backlog;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub mod backup;
mod calibration;
pub mod camera;
pub mod decode;
pub mod detection;
pub mod embedding;
pub mod engine;
pub mod enrolment;
pub mod error;
pub mod evaluation;
pub mod frame;
pub mod gallery;
pub mod gate;
pub mod geometry;
#[doc(hidden)]
pub mod internals;
pub mod kiosk;
pub mod landmarks;
pub mod liveness;
pub mod models;
pub mod motion;
pub mod own_file;
pub mod pose;
mod preprocess;
pub mod quality;
pub mod recognition;
mod redaction;
pub mod roster;
#[cfg(all(feature = "roster-files", any(feature = "sqlite", feature = "postgres")))]
pub mod roster_file;
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, reason = "what two databases share, and neither is built in")
)]
pub mod store;
pub mod tracking;
pub mod types;

pub use attendance::{AttendancePolicy, Marker};
pub use camera::{CameraSource, CameraWorker};
pub use embedding::Embedding;
pub use engine::{Analysis, AnalyzeOptions, Depth, Engine, EngineBuilder, Face, FaceEngine, Selection, SingleFace};
pub use enrolment::Registry;
pub use error::{Error, ErrorKind, Result};
pub use frame::{ChannelOrder, Frame};
pub use gallery::{Gallery, Identification};
/// The time as every call takes it: [`jiff::Timestamp`], so that a program needs no dependency of its own on `jiff`.
pub use jiff::Timestamp;
pub use liveness::{LivenessOptions, LivenessSession, Observation, Outcome, Position};
pub use pose::Pose;
pub use quality::Quality;
pub use recognition::{RecognitionOptions, Recognizer};
#[cfg(feature = "postgres")]
pub use store::PostgresStore;
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
pub use store::Store;
pub use types::{ModelId, SessionId, Similarity, StudentId, Threshold};

/// Compiles the example of the crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
