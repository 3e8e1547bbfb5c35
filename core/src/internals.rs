//! Internals that the benchmarks, the tests and the fuzz targets of this repository use. No program should: they change
//! without notice.

pub use crate::camera::avi::{Frames, frames_of};
pub use crate::camera::http::pictures_of;
pub use crate::models::session::{ModelSession, time_in_models};
pub use crate::preprocess::{Anchor, InputShape, Layout, Letterbox, Letterboxer, warp};
pub use crate::store::codec::door::{Opened, Stored, opened, sealed};
#[cfg(feature = "sqlite")]
pub use crate::store::naive_time::read_and_spelled;
