//! What several servers on one database need: announcements and leases of cameras.

use std::time::Duration;

use super::{CameraKey, CameraReport, CameraRequest, ClaimedCamera, ServerId, WatchedCamera};
use crate::error::Result;

/// What several servers on one database share. Only PostgreSQL offers it.
pub trait Cluster: Send + Sync {
    /// Tells everybody who follows the database through another store, word for word and once. `text` is of any length
    /// and kept no longer than it takes; a database without notices of its own keeps the newest for a while.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn announce(&self, text: &str) -> Result<()>;

    /// Has a camera watched, by `by` for as long as the lease lasts unless another server watches it already; says
    /// whether `by` holds it. A camera that is watched goes on in its place, with the address of `camera`.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn watch_camera(&self, camera: &CameraRequest, by: &ServerId, lease: Duration) -> Result<bool>;

    /// Has a camera watched no longer; whether it was to be watched.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn unwatch_camera(&self, camera: &CameraKey) -> Result<bool>;

    /// Has no camera watched any longer; returns how many were to be.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn unwatch_all_cameras(&self) -> Result<u64>;

    /// Renews the leases of the cameras that `reports` are of, takes over some of those that nobody holds, and returns
    /// what `by` holds now: what is not among it, it must stop watching.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn claim_cameras(&self, by: &ServerId, reports: &[CameraReport], lease: Duration) -> Result<Vec<ClaimedCamera>>;

    /// Lets go of every camera that `by` holds, so that others take them over at once. Those that only it reaches are
    /// to be watched no longer.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn release_cameras(&self, by: &ServerId) -> Result<()>;

    /// Every camera that is to be watched, by name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn watched_cameras(&self) -> Result<Vec<WatchedCamera>>;
}
