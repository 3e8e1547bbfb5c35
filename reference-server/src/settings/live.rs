//! How cameras are watched.

use std::num::NonZero;
use std::sync::Arc;

use faceattend_core::camera::CameraAccess;
use faceattend_core::tracking::TrackingOptions;
use jiff::SignedDuration;

use super::gate::GateSettings;
use super::mountings::Mountings;

/// How cameras are watched.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LiveSettings {
    /// How many pictures of each camera are analyzed in a second. Default 5: a face that walks through a door is seen
    /// several times.
    pub rate: f32,
    /// How faces are followed, and how much evidence names somebody.
    pub tracking: TrackingOptions,
    /// Whether a logged-in user may look through the cameras. Default off: attendance needs no spectators.
    pub preview: bool,
    /// This server's name among several on one database, which share their cameras and tell each other what happens.
    /// Default `None`: it watches every camera that is kept.
    pub server_name: Option<String>,
    /// Whether now and then a view of a student is kept from a confident, living mark, so that templates grow older
    /// with their people. Default off.
    pub age_templates: bool,
    /// For how long whom cameras saw and nobody knows is listed, in memory alone. Default `None`: nothing is.
    pub unknown_faces: Option<SignedDuration>,
    /// What is asked of a face before its person is marked.
    pub gate: GateSettings,
    /// How cameras are mounted: upside down, on their side, mirrored.
    pub mountings: Mountings,
    /// Which cameras and recordings an operator may start. An admin may start any.
    pub camera_access: Arc<CameraAccess>,
    /// How many cameras are watched at a time. Default `None`: as many as
    /// [`Scheduler::new`](faceattend_core::camera::Scheduler::new) allows for [`threads`](super::Settings::threads).
    pub max_cameras: Option<NonZero<usize>>,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            rate: 5.0,
            tracking: TrackingOptions::default(),
            preview: false,
            server_name: None,
            age_templates: false,
            unknown_faces: None,
            gate: GateSettings::default(),
            mountings: Mountings::default(),
            camera_access: Arc::default(),
            max_cameras: None,
        }
    }
}

impl LiveSettings {
    /// The same settings, analyzing so many pictures of each camera in a second.
    #[must_use]
    pub fn with_rate(mut self, rate: f32) -> Self {
        self.rate = rate;
        self
    }

    /// The same settings, naming faces by this much evidence.
    #[must_use]
    pub fn with_tracking(mut self, tracking: TrackingOptions) -> Self {
        self.tracking = tracking;
        self
    }

    /// The same settings, with or without `GET /detection/preview/{camera}.mjpeg`.
    #[must_use]
    pub fn with_preview(mut self, preview: bool) -> Self {
        self.preview = preview;
        self
    }

    /// The same settings, asking this of a face before its person is marked.
    #[must_use]
    pub fn with_gate(mut self, gate: GateSettings) -> Self {
        self.gate = gate;
        self
    }

    /// The same settings, with cameras mounted like this.
    #[must_use]
    pub fn with_mountings(mut self, mountings: Mountings) -> Self {
        self.mountings = mountings;
        self
    }

    /// The same settings, where operators may start these cameras and recordings.
    #[must_use]
    pub fn with_camera_access(mut self, access: CameraAccess) -> Self {
        self.camera_access = Arc::new(access);
        self
    }

    /// The same settings, watching at most so many cameras at a time.
    #[must_use]
    pub fn with_max_cameras(mut self, most: Option<NonZero<usize>>) -> Self {
        self.max_cameras = most;
        self
    }

    /// The same settings, keeping views of cameras beside the registered templates, or not.
    #[must_use]
    pub fn with_age_templates(mut self, age: bool) -> Self {
        self.age_templates = age;
        self
    }

    /// The same settings, listing unknown faces for so long, or not.
    #[must_use]
    pub fn with_unknown_faces(mut self, kept_for: Option<SignedDuration>) -> Self {
        self.unknown_faces = kept_for;
        self
    }

    /// The same settings for one of several servers on one database, which is called so.
    #[must_use]
    pub fn with_server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }
}
