//! The cameras that are kept: the one list of what is to be watched.

use jiff::Timestamp;

use super::{CameraGroup, CameraKey, KeptCamera, KeptCameraChange, NewKeptCamera, TemplateForms};
use crate::error::Result;

/// The list of the cameras that are to be watched, also after a restart. Which of several servers watches each is
/// between them: see [`Cluster`](super::Cluster).
///
/// An address without credentials belongs to one camera of a list and server, a name to one camera. What could be a
/// password is kept apart from the rest of the address, and sealed where the store has a key.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::Timestamp;
/// use faceattend_core::store::{
///     CameraGroup, CameraReach, CameraSettings, NewKeptCamera, SqliteStore, prelude::*,
/// };
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let store = SqliteStore::open(path)?;
/// let settings = CameraSettings { name: Some("Gate".into()), ..CameraSettings::at("rtsp://user:secret@10.0.0.7/1") };
/// let new = NewKeptCamera {
///     group: CameraGroup::Usual,
///     only_at: None,
///     settings,
///     reach: CameraReach::Permitted,
///     paused: false,
///     by: "Ms Rao".into(),
///     at: Timestamp::now(),
/// };
/// let gate = store.keep_camera(&new)?;
/// assert_eq!((gate.name.as_str(), gate.key.name.as_str()), ("Gate", "rtsp://user:***@10.0.0.7/1"));
/// assert!(!format!("{:?}", store.kept_cameras()?).contains("secret"));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub trait KeptCameras: Send + Sync {
    /// Keeps a new camera.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when its name or its address is another's;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for what is no camera's address, for a name that is blank
    /// or looks like an address with a password, for a text beyond its [limit](super::limits), and for one camera more
    /// than [`limits::CAMERAS`](super::limits::CAMERAS).
    fn keep_camera(&self, new: &NewKeptCamera) -> Result<KeptCamera>;

    /// Keeps a camera that somebody starts. One that is kept already goes on as it was kept, but for what `new` says:
    /// its credentials, its location, how it is mounted. It is not paused any more.
    ///
    /// # Errors
    /// As [`keep_camera`](Self::keep_camera), but for conflicts: it gets a name that is free.
    fn keep_started_camera(&self, new: &NewKeptCamera) -> Result<KeptCamera>;

    /// Returns every camera, ordered by name. One whose password cannot be read is among them: it says so itself.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn kept_cameras(&self) -> Result<Vec<KeptCamera>>;

    /// Returns the camera with this id.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn kept_camera(&self, id: i64) -> Result<Option<KeptCamera>>;

    /// Changes a camera.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound), and as [`keep_camera`](Self::keep_camera).
    fn change_kept_camera(&self, id: i64, change: &KeptCameraChange) -> Result<KeptCamera>;

    /// Pauses the camera with this key, or every camera of the list, and returns how many were not paused before.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn pause_cameras(&self, group: CameraGroup, key: Option<&CameraKey>, by: &str, at: Timestamp) -> Result<u64>;

    /// Removes a camera from the list, and returns what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn remove_kept_camera(&self, id: i64) -> Result<KeptCamera>;

    /// Returns how many passwords of cameras are plain, and how many are sealed with each key.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn camera_password_forms(&self) -> Result<TemplateForms>;
}
