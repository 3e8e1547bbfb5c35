//! What several servers on one database need: announcements, and leases of the [kept cameras](super::KeptCameras).

use std::time::Duration;

use super::{CameraKey, CameraReport, ClaimedCamera, KeptCamera, NewKeptCamera, ServerId, WatchedCamera};
use crate::error::Result;

/// What several servers on one database share. Only PostgreSQL offers it.
pub trait Cluster: Send + Sync {
    /// Sends `text`, of any length, once to everybody who follows the database through another store. The database does
    /// not keep it.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn announce(&self, text: &str) -> Result<()>;

    /// Keeps a camera that is started, as [`keep_started_camera`](super::KeptCameras::keep_started_camera) does, and
    /// leases it to `by` in the same transaction unless another server holds it: no server that hears of the camera is
    /// faster than the one that was asked. Returns it, and whether `by` holds it.
    ///
    /// # Errors
    /// Those of [`keep_started_camera`](super::KeptCameras::keep_started_camera).
    fn keep_watched_camera(&self, new: &NewKeptCamera, by: &ServerId, lease: Duration) -> Result<(KeptCamera, bool)>;

    /// Leases a kept camera to `by` unless another server holds it. Returns whether `by` holds it: no server holds one
    /// that is not kept, or paused.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn watch_camera(&self, camera: &CameraKey, by: &ServerId, lease: Duration) -> Result<bool>;

    /// Renews the leases of the cameras in `reports`, leases some cameras that nobody holds until `by` holds `most`
    /// that are not over, and returns what it holds now. The server must stop watching every other camera.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn claim_cameras(
        &self,
        by: &ServerId,
        reports: &[CameraReport],
        lease: Duration,
        most: usize,
    ) -> Result<Vec<ClaimedCamera>>;

    /// Ends the leases of `by`, so that other servers take its cameras over at once. Cameras that only `by` reaches are
    /// watched by nobody until it is started again.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn release_cameras(&self, by: &ServerId) -> Result<()>;

    /// Returns every camera that is watched, or waits for a server that runs, ordered by name.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn watched_cameras(&self) -> Result<Vec<WatchedCamera>>;
}
