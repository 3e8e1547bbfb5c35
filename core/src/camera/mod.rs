//! Where frames come from: live cameras and recordings, behind one trait, and the threads that read them.
//!
//! | source | with feature `opencv` | without |
//! |---|---|---|
//! | a folder of pictures, an MJPEG AVI file | ours | ours |
//! | a video file of any other kind | OpenCV | refused |
//! | a motion-JPEG stream over HTTP, an address that answers with one JPEG | ours | ours |
//! | other video over HTTP, a USB camera, an RTSP stream | OpenCV | refused |

mod access;
mod address;
pub(crate) mod avi;
mod capture;
mod devices;
mod frame_source;
mod health;
pub(crate) mod http;
mod login;
mod open;
#[cfg(feature = "opencv")]
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
#[cfg(feature = "opencv")]
pub use opencv::OpenCvCapture;
pub use options::{Attention, OpenOptions, Pace, WorkerOptions};
pub use orientation::Orientation;
pub use replay::{AviReplay, FolderReplay};
pub use scheduler::Scheduler;
pub use source::{CameraSource, Nature, redacted};
pub use typed_address::typed_address;
pub use worker::CameraWorker;
