//! The packs this project knows: files, hashes, licences, and how each model is fed and read.
//!
//! The text is `models/manifest.toml`, built into the library, so that no file has to be found to know a model.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::embedding::Calibration;
use crate::error::{Error, Result};
use crate::types::ModelId;

/// The only layout of `manifest.toml` that this version reads.
const SCHEMA: u32 = 1;

/// Every pack, in the order of the file: the built-in one first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: u32,
    #[serde(rename = "pack")]
    packs: Vec<Pack>,
}

impl Manifest {
    /// The manifest of this version of the library.
    ///
    /// # Errors
    /// [`Error::Internal`] when the built-in text is not valid, which a test of this module rules out.
    pub fn embedded() -> Result<&'static Self> {
        static PARSED: OnceLock<std::result::Result<Manifest, String>> = OnceLock::new();
        PARSED
            .get_or_init(|| Self::parse(include_str!("../../../models/manifest.toml")).map_err(|e| e.to_string()))
            .as_ref()
            .map_err(|reason| Error::Internal { reason: reason.clone() })
    }

    /// The manifest that `text` holds: TOML in the layout of `models/manifest.toml`.
    ///
    /// # Errors
    /// [`Error::Model`] naming the place and what is wrong there.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |reason: String| Error::model("manifest", reason);
        let manifest: Self = toml::from_str(text).map_err(|e| invalid(e.to_string()))?;
        if manifest.schema != SCHEMA {
            return Err(invalid(format!("schema {} is not the one this version reads, {SCHEMA}", manifest.schema)));
        }
        for (index, pack) in manifest.packs.iter().enumerate() {
            if manifest.packs[..index].iter().any(|other| other.name == pack.name) {
                return Err(invalid(format!("there are two packs named {}", pack.name)));
            }
            pack.check().map_err(|reason| invalid(format!("pack {}: {reason}", pack.name)))?;
        }
        Ok(manifest)
    }

    /// Every pack.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The pack of that name.
    ///
    /// # Errors
    /// [`Error::Model`] listing the names there are.
    pub fn pack(&self, name: &str) -> Result<&Pack> {
        self.packs.iter().find(|pack| pack.name == name).ok_or_else(|| {
            let names: Vec<_> = self.packs.iter().map(|pack| pack.name.as_str()).collect();
            Error::model(name, format!("no such pack; there are {}", names.join(", ")))
        })
    }

    /// The file with those contents, and its pack: how a model given by path is recognized.
    #[must_use]
    pub fn file_with_hash(&self, sha256: &Sha256Hex) -> Option<(&Pack, &ModelFile)> {
        self.files().find(|(_, file)| file.sha256.as_ref() == Some(sha256))
    }

    /// Every file, with its pack.
    pub fn files(&self) -> impl Iterator<Item = (&Pack, &ModelFile)> {
        self.packs.iter().flat_map(|pack| pack.files.iter().map(move |file| (pack, file)))
    }
}

/// Whether the user has accepted the licence of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenseConsent {
    /// The user has read and accepted it.
    Accepted,
    /// The user has not been asked, or said no.
    NotGiven,
}

/// Models that belong together, under one licence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The first file that plays `role`.
    #[must_use]
    pub fn file(&self, role: Role) -> Option<&ModelFile> {
        self.files.iter().find(|file| file.role == role)
    }

    /// The sizes of all files that can be had, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().filter_map(|file| file.size).sum()
    }

    /// Whether the pack may be put on this machine: always, unless its licence has to be accepted and is not. `then` is
    /// what to do once it has been read.
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

    fn check(&self) -> std::result::Result<(), String> {
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
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// The file's name inside its pack.
    pub name: String,
    /// What the model is for.
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
    /// What was measured, or is stated by its makers.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// What a model is for.
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

/// How a model's output is read: the name of its decoder.
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<Dimension>,
}

/// One dimension of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// Always this many.
    Fixed(u32),
    /// Any number; the same name means the same number.
    Dynamic(String),
}

/// How an image becomes the input: value = (pixel - mean) / std for each channel, pixels from 0 to 255.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// The order of the channels; `mean` and `std` follow it.
    pub channels: Channels,
    /// What is taken away.
    pub mean: [f32; 3],
    /// What is divided by.
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
    /// Where the five points go.
    pub template: Option<Template>,
    /// The side of the crop as a multiple of the face box.
    pub crop_scale: Option<f32>,
}

/// The order of the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// Where an image lies in an input of another shape.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// ArcFace's five points in 112x112.
    Arcface112,
}

/// A measured figure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What was measured, on what.
    pub what: String,
    /// The figure, with its unit.
    pub value: String,
}

/// A SHA-256 as 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// The hash that `text` spells.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless it is 64 lowercase hexadecimal digits.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text))
        } else {
            Err(Error::invalid_input("sha256", format!("{text:?} is not 64 lowercase hexadecimal digits")))
        }
    }

    /// For digits that were just made from a digest.
    pub(super) fn from_digest(text: String) -> Self {
        Self(text)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(text)
    }
}

impl From<Sha256Hex> for String {
    fn from(hash: Sha256Hex) -> Self {
        hash.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_manifest_is_valid_and_names_every_pack() {
        let names: Vec<_> = Manifest::embedded().unwrap().packs().iter().map(|pack| pack.name.as_str()).collect();
        assert_eq!(names, ["default", "opencv-zoo", "minifasnet", "buffalo_l", "buffalo_s", "antelopev2", "yolo-face"]);
    }

    #[test]
    fn every_url_is_encrypted_and_pinned() {
        for file in Manifest::embedded().unwrap().packs().iter().flat_map(|pack| &pack.files) {
            for url in &file.urls {
                assert!(url.starts_with("https://"), "{url}");
                let commit = |part: &str| part.len() == 40 && part.bytes().all(|b| b.is_ascii_hexdigit());
                assert!(url.split('/').any(commit) || url.contains("/releases/download/v"), "{url} can change");
            }
        }
    }

    #[test]
    fn a_model_id_ends_in_the_hash_of_its_file() {
        for file in Manifest::embedded().unwrap().packs().iter().flat_map(|pack| &pack.files) {
            if let (Some(id), Some(sha256)) = (&file.model_id, &file.sha256) {
                assert!(id.as_str().ends_with(&format!("@{}", &sha256.as_str()[..8])), "{id}");
            }
        }
    }

    #[test]
    fn packs_that_forbid_commercial_use_need_acceptance() {
        for pack in Manifest::embedded().unwrap().packs() {
            assert!(pack.commercial_use || pack.requires_acceptance, "{}", pack.name);
        }
    }

    #[test]
    fn sfaces_working_points_are_the_documented_ones_in_both_packs_that_have_it() {
        let manifest = Manifest::embedded().unwrap();
        for pack in ["default", "opencv-zoo"] {
            let embedder = manifest.pack(pack).unwrap().file(Role::Embedder).unwrap();
            let calibration = embedder.calibration.as_ref().unwrap();
            for (cosine, similarity) in [(0.10, 0.50), (0.50, 0.70)] {
                let found = calibration.similarity(crate::types::Cosine(cosine)).value();
                assert!((found - similarity).abs() < 1e-6, "{pack}, {cosine}: {found}");
            }
        }
    }

    #[test]
    fn an_unknown_pack_is_answered_with_the_known_ones() {
        let error = Manifest::embedded().unwrap().pack("buffalo").unwrap_err().to_string();
        assert!(error.contains("buffalo_l, buffalo_s"), "{error}");
    }

    fn broken(replace: &str, with: &str) -> String {
        let text = r#"
            schema = 1
            [[pack]]
            name = "p"
            title = "t"
            license = "MIT"
            commercial_use = true
            requires_acceptance = false
            attribution = "a"
            [[pack.file]]
            name = "m.onnx"
            role = "detector"
            kind = "scrfd"
            sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
            size = 3
            urls = ["https://example.org/m"]
            input = { name = "x", shape = [1, 3, "h", "w"] }
            outputs = []
            preprocessing = { channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }
        "#;
        assert!(Manifest::parse(text).is_ok());
        assert!(text.contains(replace), "{replace}");
        Manifest::parse(&text.replace(replace, with)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (replace, with, says) in [
            ("schema = 1", "schema = 2", "schema 2"),
            ("size = 3", "", "needs a hash, a size and a URL"),
            ("\"0000", "\"000G", "hexadecimal"),
            ("name = \"m.onnx\"", "name = \"../m.onnx\"", "no plain file name"),
            ("name = \"p\"", "name = \"..\"", "no plain file name"),
            ("kind = \"scrfd\"", "kind = \"guess\"", "unknown variant"),
            ("role = \"detector\"", "role = \"embedder\"", "model id"),
            ("std = [1, 1, 1]", "std = [1, 0, 1]", "std"),
            ("title = \"t\"", "titel = \"t\"", "titel"),
        ] {
            let error = broken(replace, with);
            assert!(error.contains(says), "{replace} -> {with}: {error}");
        }
    }
}
