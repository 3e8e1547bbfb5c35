//! Where frames come from: live cameras and recordings, behind one trait, and the threads that read them.
//!
//! | source | read by |
//! |---|---|
//! | a folder of pictures, an MJPEG AVI file | this crate |
//! | a video file of any other kind | OpenCV |
//! | a motion-JPEG stream over HTTP, an address that answers with one JPEG | this crate |
//! | other video over HTTP, a USB camera, an RTSP stream | OpenCV |
//!
//! OpenCV is loaded when the first source that needs it is opened: see the crate `faceattend-video` for where its
//! library is looked for. The feature `opencv` links it instead.

mod access;
mod address;
pub(crate) mod avi;
mod capture;
mod crew;
mod devices;
mod frame_source;
mod health;
pub(crate) mod http;
mod login;
mod open;
mod opencv;
mod options;
mod orientation;
mod permitted;
mod probe;
mod recording_clock;
mod replay;
mod scheduler;
mod shared;
mod source;
#[cfg(test)]
mod tests;
mod typed_address;
mod worker;

pub use access::{CameraAccess, CameraHosts};
pub use devices::{CameraDevice, devices};
pub use frame_source::FrameSource;
pub use health::{CameraHealth, CameraState};
pub use open::open;
pub use opencv::OpenCvCapture;
pub use options::{Attention, OpenOptions, Pace, WorkerOptions};
pub use orientation::Orientation;
pub use replay::{AviReplay, FolderReplay};
pub use scheduler::Scheduler;
pub use source::{CameraSource, Nature, redacted};
pub use typed_address::typed_address;
pub use worker::CameraWorker;
