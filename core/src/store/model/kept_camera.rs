//! The cameras that are kept: what is to be watched, also after a restart.

use std::fmt;

use jiff::Timestamp;

use crate::camera::Orientation;
use crate::gate::GatePolicy;

/// The name of a watched camera.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CameraKey {
    /// Its address without credentials.
    pub name: String,
    /// The name of the one server that reaches it, as a camera that is plugged in; `None` where any server may watch
    /// it.
    pub only_at: Option<String>,
}

/// The list that a camera belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum CameraGroup {
    /// The cameras of the server.
    #[default]
    Usual,
    /// Those that are started by their number alone, as the laptop's own in the existing service.
    Laptop,
}

impl CameraGroup {
    /// Returns the word that stands for it: `usual` or `laptop`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Laptop => "laptop",
        }
    }
}

/// Which places the address of a camera may name when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CameraReach {
    /// Those that the operator of the site permits: somebody who is no admin chose the address.
    #[default]
    Permitted,
    /// Any: an admin chose the address.
    Anywhere,
}

/// How a camera is watched. `Debug` shows the address without credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct CameraSettings {
    /// The name by which people know it, unique but for letter case. Without one it is named after its location or its
    /// address.
    pub name: Option<String>,
    /// The address, with credentials, as [`CameraSource::parse`](crate::camera::CameraSource::parse) reads it.
    pub address: String,
    /// Its location, as it is written on marks.
    pub location: Option<String>,
    /// By how much its pictures are turned: an orientation that is not mirrored. Without one its location says it.
    pub turned: Option<Orientation>,
    /// Whether they are mirrored then. Without an answer its location says it.
    pub mirror: Option<bool>,
    /// What it asks of a face before its person is marked. Without one its location says it.
    pub gate: Option<GatePolicy>,
}

impl CameraSettings {
    /// Returns the settings of a camera of which nothing but the address is known.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self { name: None, address: address.into(), location: None, turned: None, mirror: None, gate: None }
    }
}

/// A camera to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKeptCamera {
    /// The list that it belongs to.
    pub group: CameraGroup,
    /// The name of the one server that reaches it; `None` where any server may watch it.
    pub only_at: Option<String>,
    /// How it is watched.
    pub settings: CameraSettings,
    /// What its address may name.
    pub reach: CameraReach,
    /// Whether it is kept without being watched.
    pub paused: bool,
    /// Who adds it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A change to a kept camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCameraChange {
    /// How it is watched from now on, on which server, and what its address may name; `None` to leave that as it is.
    pub settings: Option<(CameraSettings, Option<String>, CameraReach)>,
    /// Whether it is paused from now on; `None` to leave that as it is.
    pub paused: Option<bool>,
    /// Who changes it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The address of a kept camera with its credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum KeptAddress {
    /// It can be opened.
    Known(String),
    /// Its password cannot be read, for this reason.
    Locked(String),
}

impl KeptAddress {
    /// Returns the address, where it can be opened.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(address) => Some(address),
            Self::Locked(_) => None,
        }
    }
}

/// A camera that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCamera {
    /// The key of its row.
    pub id: i64,
    /// The list that it belongs to.
    pub group: CameraGroup,
    /// The name by which people know it.
    pub name: String,
    /// Its address without credentials, and the one server that reaches it.
    pub key: CameraKey,
    /// Its address with credentials.
    pub address: KeptAddress,
    /// Its location.
    pub location: Option<String>,
    /// By how much its pictures are turned.
    pub turned: Option<Orientation>,
    /// Whether they are mirrored then.
    pub mirror: Option<bool>,
    /// What it asks of a face before its person is marked.
    pub gate: Option<GatePolicy>,
    /// What its address may name.
    pub reach: CameraReach,
    /// Whether it is not watched for now.
    pub paused: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// Who added it.
    pub created_by: String,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}

// Addresses hold passwords.
impl fmt::Debug for CameraSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = crate::camera::redacted(&self.address);
        write!(f, "CameraSettings({:?} at {address:?}, location {:?})", self.name, self.location)
    }
}

impl fmt::Debug for KeptAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(address) => write!(f, "Known({:?})", crate::camera::redacted(address)),
            Self::Locked(reason) => write!(f, "Locked({reason:?})"),
        }
    }
}
