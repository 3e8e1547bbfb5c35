//! Internals that the benchmarks and the tests of this repository measure. No program should use them: they change
//! without notice.

pub use crate::models::session::{ModelSession, time_in_models};
pub use crate::preprocess::{Anchor, InputShape, Layout, Letterbox, Letterboxer, warp};
