//! What the benchmarks and the tests of this repository measure, and no program should use: it changes without notice.

pub use crate::models::session::{ModelSession, time_in_models};
pub use crate::preprocess::{Anchor, InputShape, Layout, Letterbox, Letterboxer, warp};
