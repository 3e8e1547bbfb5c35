//! What the example programs share: reading a picture, and the one face in it.

use std::error::Error;
use std::path::Path;

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{AnalyzeOptions, Depth, Engine, Face, FaceEngine as _, Selection};
use faceattend_core::frame::Frame;

/// The result of an example: any error ends it with its message.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The picture in a JPEG, PNG or WebP file.
///
/// # Errors
/// When the file cannot be read or is no picture.
pub fn picture(path: impl AsRef<Path>) -> Outcome<Frame<'static>> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(decode(&bytes, &DecodeLimits::default())?)
}

/// The largest face in the picture, with its embedding.
///
/// # Errors
/// When there is none.
pub fn largest_face(engine: &Engine, frame: &Frame<'_>) -> Outcome<Face> {
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding).with_selection(Selection::Largest);
    engine.analyze(frame, &options)?.faces.into_iter().next().ok_or_else(|| "no face in the picture".into())
}
