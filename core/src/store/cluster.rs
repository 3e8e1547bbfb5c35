//! What several servers on one database need: announcements and leases of cameras.

use std::time::Duration;

use super::{CameraKey, CameraReport, CameraRequest, ClaimedCamera, ServerId, WatchedCamera};
use crate::error::Result;

/// What several servers on one database share. Only PostgreSQL offers it.
pub trait Cluster: Send + Sync {
    /// Sends `text`, of any length, once to everybody who follows the database through another store. The database does
    /// not keep it.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn announce(&self, text: &str) -> Result<()>;

    /// Adds a camera to those that are watched, leased to `by` unless another server holds it. Returns whether `by`
    /// holds it. A camera that is watched already stays with its server and gets the address of `camera`.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store); [`Error::InvalidInput`](crate::Error::InvalidInput) for a text beyond
    /// its [limit](super::limits).
    fn watch_camera(&self, camera: &CameraRequest, by: &ServerId, lease: Duration) -> Result<bool>;

    /// Removes a camera from those that are watched. Returns whether it was among them.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn unwatch_camera(&self, camera: &CameraKey) -> Result<bool>;

    /// Removes all cameras from those that are watched. Returns how many there were.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn unwatch_all_cameras(&self) -> Result<u64>;

    /// Renews the leases of the cameras in `reports`, leases some cameras that nobody holds, and returns what `by`
    /// holds now. The server must stop watching every other camera.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn claim_cameras(&self, by: &ServerId, reports: &[CameraReport], lease: Duration) -> Result<Vec<ClaimedCamera>>;

    /// Ends the leases of `by`, so that other servers take its cameras over at once. Cameras that only `by` reaches are
    /// removed.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn release_cameras(&self, by: &ServerId) -> Result<()>;

    /// Returns every camera that is watched, ordered by name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn watched_cameras(&self) -> Result<Vec<WatchedCamera>>;
}
