//! Who is in front of the camera, and is it a living person?
//!
//! The way of a frame: [`frame`] → detection → quality, alignment, [`embedding`], [`pose`], [`antispoof`], all wired by
//! [`engine`]; then the domain, plain state machines fed with values and the time.

pub mod alignment;
pub mod antispoof;
pub mod attendance;
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
pub mod geometry;
pub mod landmarks;
pub mod liveness;
pub mod models;
pub mod motion;
pub mod pose;
pub mod preprocess;
pub mod quality;
pub mod recognition;
pub mod store;
pub mod tracking;
pub mod types;

pub use error::{Error, ErrorKind, Result};
