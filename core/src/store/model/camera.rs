//! Which of several servers watches each of the kept cameras.
//!
//! A server holds a camera by a lease on the database's own clock, which it renews long before it ends. When it dies
//! the lease lapses and another takes the camera over; a server that cannot reach the database stops watching when its
//! lease would have lapsed. So a camera is watched by one server at a time, whatever the clocks of the servers say.

use super::kept_camera::{CameraKey, KeptCamera};

/// One of several servers on a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerId {
    /// The name that people use; a camera that only this machine reaches is bound to it.
    pub name: String,
    /// A key that is new at every start: a server that starts again does not hold what it held before.
    pub key: String,
}

impl ServerId {
    /// Returns the server of this name, with a key for this run.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), key: uuid::Uuid::new_v4().simple().to_string() }
    }
}

/// The state of a camera, reported by the server that watches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraReport {
    /// The camera.
    pub key: CameraKey,
    /// Whether it is a recording that has ended, or broken for good: then nobody takes it over.
    pub is_over: bool,
    /// What other servers show of it, without credentials. The store does not read it.
    pub text: String,
}

/// A camera that the asking server holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedCamera {
    /// What to watch.
    pub camera: KeptCamera,
    /// Whether it has been watched to its end.
    pub is_over: bool,
}

/// An entry of the list of watched cameras.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedCamera {
    /// The camera.
    pub key: CameraKey,
    /// The location of the camera.
    pub location: Option<String>,
    /// The name of the server that watches it; `None` while it waits for one.
    pub server: Option<String>,
    /// What that server last reported.
    pub report: Option<String>,
}
