//! Packs of models: their files, licences, and how each model is fed and read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hash::Sha256Hex;
use crate::calibration::Calibration;
use crate::error::{Error, Result};
use crate::types::ModelId;

/// Whether the user has accepted the licence of a pack.
///
/// ```
/// use faceattend_core::models::manifest::{LicenseConsent, Manifest};
///
/// let pack = Manifest::embedded()?.pack("buffalo_l")?;
/// // Ask the user: "{}" forbids commercial use.
/// let consent = if pack.requires_acceptance { LicenseConsent::NotGiven } else { LicenseConsent::Accepted };
/// assert_eq!(consent, LicenseConsent::NotGiven);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenseConsent {
    /// The user has read and accepted it.
    Accepted,
    /// The user has not been asked, or said no.
    NotGiven,
}

/// Models that belong together, under one licence.
///
/// ```
/// use faceattend_core::models::manifest::Manifest;
///
/// for pack in Manifest::embedded()?.packs() {
///     println!("{}: {} ({})", pack.name, pack.title, pack.license);
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Pack {
    /// The name that `faceattend models pull` takes.
    pub name: String,
    /// What it is, in one line.
    pub title: String,
    /// Its licence: an SPDX expression where there is one.
    pub license: String,
    /// Whether the licence allows commercial use.
    pub commercial_use: bool,
    /// Whether the user has to accept the licence before the pack is fetched.
    pub requires_acceptance: bool,
    /// Whether the pack is part of the repository and, with the feature `embedded-models`, of the library.
    #[serde(default)]
    pub built_in: bool,
    /// Who made it; belongs in every product that ships it.
    pub attribution: String,
    /// What else to know.
    pub note: Option<String>,
    /// The files.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
}

impl Pack {
    /// Returns the first file that plays `role`.
    #[must_use]
    pub fn file(&self, role: Role) -> Option<&ModelFile> {
        self.files.iter().find(|file| file.role == role)
    }

    /// Returns the sizes of all files that can be had, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().filter_map(|file| file.size).fold(0, u64::saturating_add)
    }

    /// Checks that the pack may be put on this machine: always, unless its licence has to be accepted and is not.
    /// `then` is what to do once it has been read.
    ///
    /// # Errors
    /// [`Error::State`] naming the licence.
    pub(super) fn check_consent(&self, consent: LicenseConsent, then: &str) -> Result<()> {
        if !self.requires_acceptance || consent == LicenseConsent::Accepted {
            return Ok(());
        }
        Err(Error::State {
            what: "licence not accepted",
            reason: format!("{} is under this licence: {}. Read it, then {then}", self.name, self.license),
        })
    }

    pub(super) fn check(&self) -> std::result::Result<(), String> {
        let plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':']);
        // Both become parts of a path: nothing may lead out of the folder of models.
        if !plain(&self.name) {
            return Err("the name is no plain file name".into());
        }
        for (index, file) in self.files.iter().enumerate() {
            let fail = |reason: &str| Err(format!("file {}: {reason}", file.name));
            if !plain(&file.name) {
                return fail("the name is no plain file name");
            }
            if self.files[..index].iter().any(|other| other.name == file.name) {
                return fail("is there twice");
            }
            match (&file.sha256, file.size, &file.unavailable) {
                (Some(_), Some(_), None) if self.built_in || !file.urls.is_empty() => {}
                (None, None, Some(_)) if file.urls.is_empty() => {}
                _ => return fail("needs a hash, a size and a URL, or else the reason why it cannot be fetched"),
            }
            if file.role == Role::Embedder && (file.model_id.is_none() || file.calibration.is_none()) {
                return fail("an embedder needs a model id and a calibration");
            }
            if file.preprocessing.std.iter().any(|std| !std.is_finite() || *std <= 0.0) {
                return fail("std must be above 0");
            }
        }
        Ok(())
    }
}

/// One model.
///
/// ```
/// use faceattend_core::models::manifest::Manifest;
///
/// for (pack, file) in Manifest::embedded()?.files() {
///     println!("{}/{}: a {}", pack.name, file.name, file.role);
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelFile {
    /// The file's name inside its pack.
    pub name: String,
    /// The role of the model.
    pub role: Role,
    /// How its output is read.
    pub kind: Kind,
    /// Its contents. `None` only where `unavailable` says why.
    pub sha256: Option<Sha256Hex>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Where to fetch it, the best place first. Every place serves the same bytes.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Why it cannot be fetched.
    pub unavailable: Option<String>,
    /// The input tensor.
    pub input: Tensor,
    /// The output tensors, in the order of the file.
    pub outputs: Vec<Tensor>,
    /// How an image becomes the input.
    pub preprocessing: Preprocessing,
    /// For an embedder: the id its embeddings carry.
    pub model_id: Option<ModelId>,
    /// For an embedder: from its cosine to the similarity scale.
    pub calibration: Option<Calibration>,
    /// For five points: `[k, b0]` of yaw = atan(k * (b - a) + b0), in radians (see the head of `manifest.toml`).
    pub yaw_fit: Option<[f32; 2]>,
    /// Figures that were measured here, or that its makers state.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// The role of a model.
///
/// ```
/// use faceattend_core::models::manifest::Role;
///
/// assert_eq!(Role::Embedder.to_string(), "embedder");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Finds faces.
    Detector,
    /// Finds dense landmarks in a face.
    Mesh,
    /// Makes embeddings.
    Embedder,
    /// Tells a living face from a presentation attack.
    Antispoof,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Detector => "detector",
            Self::Mesh => "mesh",
            Self::Embedder => "embedder",
            Self::Antispoof => "antispoof",
        })
    }
}

/// The decoder of a model's output.
///
/// ```
/// use faceattend_core::models::manifest::{Kind, Manifest, Role};
///
/// let detector = Manifest::embedded()?.pack("default")?.file(Role::Detector).expect("a detector");
/// assert_eq!(detector.kind, Kind::Blazeface);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// BlazeFace: raw scores, boxes and six points at strides 16 and 32.
    Blazeface,
    /// SCRFD: scores, distances and five points at strides 8, 16 and 32.
    Scrfd,
    /// YuNet: class, objectness, boxes and five points at strides 8, 16 and 32.
    Yunet,
    /// YOLOv5-face: raw heads with anchors.
    #[serde(rename = "yolov5-face")]
    Yolov5Face,
    /// YOLOv8-face and its like: one output, a column for each candidate.
    #[serde(rename = "yolov8-face")]
    Yolov8Face,
    /// YOLOv10-face and its like: end to end, no suppression needed, no points.
    #[serde(rename = "yolov10-face")]
    Yolov10Face,
    /// MediaPipe's face mesh.
    FaceMesh,
    /// A vector.
    Embedder,
    /// MiniFASNet: three logits.
    Minifasnet,
}

/// A tensor of 32-bit floats.
///
/// ```
/// use faceattend_core::models::manifest::{Dimension, Manifest, Role};
///
/// let embedder = Manifest::embedded()?.pack("default")?.file(Role::Embedder).expect("an embedder");
/// assert_eq!(embedder.outputs[0].shape.last(), Some(&Dimension::Fixed(128)));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<Dimension>,
}

/// One dimension of a tensor.
///
/// ```
/// use faceattend_core::models::manifest::{Dimension, Manifest, Role};
///
/// // BlazeFace takes any height and width.
/// let detector = Manifest::embedded()?.pack("default")?.file(Role::Detector).expect("a detector");
/// assert!(matches!(detector.input.shape[2], Dimension::Dynamic(_)));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// Always this many.
    Fixed(u32),
    /// Any number; the same name means the same number.
    Dynamic(String),
}

/// The preprocessing of an image: value = (pixel - mean) / std for each channel, pixels from 0 to 255.
///
/// ```
/// use faceattend_core::models::manifest::{Channels, Manifest, Role};
///
/// let embedder = Manifest::embedded()?.pack("default")?.file(Role::Embedder).expect("an embedder");
/// assert_eq!(embedder.preprocessing.channels, Channels::Rgb);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Preprocessing {
    /// The order of the channels; `mean` and `std` follow it.
    pub channels: Channels,
    /// The mean that is subtracted.
    pub mean: [f32; 3],
    /// The deviation that divides.
    pub std: [f32; 3],
    /// Width and height, where they are fixed.
    pub size: Option<[u32; 2]>,
    /// What width and height must be a multiple of, where they are not.
    pub multiple_of: Option<u32>,
    /// Where the image lies when it does not fill the input.
    pub letterbox: Option<Letterbox>,
    /// The value of the pixels around it.
    #[serde(default)]
    pub fill: u8,
    /// How much of the image's size to add on each side beforehand.
    #[serde(default)]
    pub margin: f32,
    /// The template of the five points.
    pub template: Option<Template>,
    /// The side of the crop as a multiple of the face box.
    pub crop_scale: Option<f32>,
}

/// The order of the channels.
///
/// ```
/// use faceattend_core::models::manifest::{Channels, Manifest, Role};
///
/// let embedder = Manifest::embedded()?.pack("buffalo_l")?.file(Role::Embedder).expect("an embedder");
/// assert_eq!(embedder.preprocessing.channels, Channels::Rgb);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// Where an image lies in an input of another shape.
///
/// ```
/// use faceattend_core::models::manifest::{Letterbox, Manifest, Role};
///
/// let detector = Manifest::embedded()?.pack("yolo-face")?.file(Role::Detector).expect("a detector");
/// assert_eq!(detector.preprocessing.letterbox, Some(Letterbox::Center));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letterbox {
    /// In the top left corner.
    TopLeft,
    /// In the middle.
    #[serde(alias = "centre")]
    Center,
}

/// Where an embedder wants the eyes, the nose and the corners of the mouth.
///
/// ```
/// use faceattend_core::models::manifest::{Manifest, Role, Template};
///
/// let embedder = Manifest::embedded()?.pack("default")?.file(Role::Embedder).expect("an embedder");
/// assert_eq!(embedder.preprocessing.template, Some(Template::Arcface112));
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// ArcFace's five points in 112x112.
    Arcface112,
}

/// A measured figure.
///
/// ```
/// use faceattend_core::models::manifest::Manifest;
///
/// for (_, file) in Manifest::embedded()?.files() {
///     for figure in &file.figures {
///         println!("{}: {} = {}", file.name, figure.what, figure.value);
///     }
/// }
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Figure {
    /// The measurement and its data.
    pub what: String,
    /// The figure, with its unit.
    pub value: String,
}
