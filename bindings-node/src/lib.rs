//! The addon for Node: the names of `faceattend-core`, as JavaScript has them.
//!
//! Nothing here is a rule of the field; this crate turns JavaScript's values into the core's and back. What takes
//! longer than a millisecond is a job (`src/job.rs`) on libuv's threads. The files in `lib` hand jobs out, so that no
//! more run at once than there are threads for, and turn errors into `FaceAttendError`.

#![expect(clippy::needless_pass_by_value, reason = "napi makes every argument anew and hands it over")]
#![expect(unreachable_pub, reason = "what is public here is for JavaScript, which no Rust code can see")]

mod attendance;
mod camera;
mod embedding;
mod engine;
mod error;
mod face;
mod frame;
mod gallery;
mod guardians;
mod job;
mod liveness;
mod models;
mod rosters;
mod second_looks;
mod store;
mod time;
