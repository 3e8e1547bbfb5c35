//! Internals that the benchmarks, the tests and the fuzz targets of this repository use. No program should: they change
//! without notice.

pub use crate::camera::avi::{Frames, frames_of};
pub use crate::camera::http::pictures_of;
pub use crate::models::session::{ModelSession, time_in_models};
pub use crate::preprocess::{Anchor, InputShape, Layout, Letterbox, Letterboxer, warp};
pub use crate::store::codec::door::{Opened, Stored, opened, sealed};
#[cfg(feature = "sqlite")]
pub use crate::store::naive_time::read_and_spelled;

use crate::decode::{DecodeLimits, Reducible};
use crate::embedding::Embedding;
use crate::error::Result;
use crate::gallery::{Gallery, Match};

/// Searches as [`Gallery::search`] does, on so many threads at most.
///
/// # Errors
/// As [`Gallery::search`].
pub fn search_on(gallery: &Gallery, probe: &Embedding, k: usize, threads: usize) -> Result<Vec<Match>> {
    gallery.search_on(probe, k, threads)
}

/// Decodes a picture for somebody who looks at one of `factor` pixels across and down, and returns the size of what was
/// decoded.
///
/// # Errors
/// As [`decode`](crate::decode::decode).
pub fn decode_part(bytes: &[u8], limits: &DecodeLimits, factor: f32) -> Result<[u32; 2]> {
    let mut picture = Reducible::open(bytes, limits)?;
    let (frame, ..) = picture.part(factor)?;
    Ok([frame.width(), frame.height()])
}
