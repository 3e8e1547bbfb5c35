//! The choices behind an engine, made: which models, how each is fed, and which limits.

use std::borrow::Cow;

use super::workbench::{Scratch, Workbench};
use crate::alignment::Template;
use crate::antispoof::PassiveModel;
use crate::calibration::Calibration;
use crate::detection::{DetectOptions, Detector, DetectorKind};
use crate::embedding::{EmbedderSpec, EmbeddingModel, Flip};
use crate::error::{Error, Result};
use crate::frame::ChannelOrder;
use crate::landmarks::MeshModel;
use crate::models::manifest::{self, Manifest, ModelFile, Pack, Role};
use crate::models::session::{ModelSession, ModelSource, RuntimeOptions};
use crate::models::store::hash_of;
use crate::pose::PoseFit;
use crate::preprocess::Normalization;
use crate::quality::{QualityJudge, QualityOptions};
use crate::types::ModelId;

/// The pack that is used unless another is named.
pub(super) const DEFAULT_PACK: &str = "default";

/// Every choice made, ready to be loaded as often as threads need it.
pub(super) struct Plan {
    pub(super) detector: DetectorChoice,
    pub(super) mesh: Option<ModelSource>,
    pub(super) mesh_fit: PoseFit,
    pub(super) embedder: (ModelSource, EmbedderSpec),
    pub(super) antispoof: std::result::Result<Vec<(ModelSource, f32)>, &'static str>,
    pub(super) detect: DetectOptions,
    pub(super) quality: QualityOptions,
    pub(super) runtime: RuntimeOptions,
}

/// The detection model, with its family and its own yaw fit where they are known beforehand.
pub(super) struct DetectorChoice {
    pub(super) model: ModelSource,
    pub(super) kind: Option<DetectorKind>,
    pub(super) yaw_fit: Option<[f32; 2]>,
}

impl Plan {
    pub(super) fn workbench(&self) -> Result<Workbench> {
        let load = |source: &ModelSource| ModelSession::load(source, &self.runtime);
        // The largest first: what loading it needs for a while is there for the others to use again.
        let embedder = EmbeddingModel::new(load(&self.embedder.0)?, self.embedder.1.clone())?;
        let detector = Detector::new(load(&self.detector.model)?, self.detector.kind)?;
        let antispoof = match &self.antispoof {
            Ok(files) => {
                let networks = files.iter().map(|(source, scale)| Ok((load(source)?, *scale)));
                Ok(PassiveModel::new(networks.collect::<Result<_>>()?)?)
            }
            Err(reason) => Err(*reason),
        };
        let own = detector.kind().pose_fit();
        let own = self.detector.yaw_fit.map_or(own, |yaw| own.with_yaw(yaw));
        Ok(Workbench {
            fits: [own, self.mesh_fit],
            detector,
            mesh: self.mesh.as_ref().map(|source| MeshModel::new(load(source)?)).transpose()?,
            embedder,
            antispoof,
            judge: QualityJudge::new(self.quality),
            detect: self.detect,
            scratch: Scratch::default(),
        })
    }

    pub(super) fn detector_name(&self) -> Cow<'_, str> {
        self.detector.model.name()
    }
}

/// Returns the same error again, for a result that is asked more than once.
pub(super) fn again(error: &Error) -> Error {
    Error::invalid_input("models folder", error.to_string())
}

pub(super) fn channels(reason: impl std::fmt::Display) -> Error {
    Error::invalid_input("embedder channels", format!("{reason}, or leave the channels out"))
}

pub(super) fn role(pack: &Pack, role: Role) -> Result<&ModelFile> {
    pack.file(role).ok_or_else(|| {
        Error::model(&pack.name, format!("this pack has no {role}: choose another pack, or name the {role}'s file too"))
    })
}

/// Returns the file as part of the library.
#[cfg(feature = "embedded-models")]
pub(super) fn embedded(pack: &Pack, file: &ModelFile) -> Option<ModelSource> {
    let bytes: &'static [u8] = match (pack.name.as_str(), file.name.as_str()) {
        (DEFAULT_PACK, "blazeface.onnx") => faceattend_models::BLAZEFACE,
        (DEFAULT_PACK, "face-mesh.onnx") => faceattend_models::FACE_MESH,
        (DEFAULT_PACK, "sface.onnx") => faceattend_sface::SFACE,
        _ => return None,
    };
    Some(ModelSource::Bytes { name: Cow::Owned(file.name.clone()), bytes: Cow::Borrowed(bytes) })
}

#[cfg(not(feature = "embedded-models"))]
pub(super) fn embedded(_: &Pack, _: &ModelFile) -> Option<ModelSource> {
    None
}

pub(super) fn order_of(file: &ModelFile) -> ChannelOrder {
    match file.preprocessing.channels {
        manifest::Channels::Rgb => ChannelOrder::Rgb,
        manifest::Channels::Bgr => ChannelOrder::Bgr,
    }
}

pub(super) fn spec_of(file: &ModelFile) -> Result<EmbedderSpec> {
    let pre = &file.preprocessing;
    let model = file.model_id.clone().ok_or_else(|| Error::model(&file.name, "the manifest gives it no model id"))?;
    Ok(EmbedderSpec {
        model,
        template: match pre.template {
            Some(manifest::Template::Arcface112) | None => Template::arcface112(),
        },
        normalization: Normalization::per_channel(order_of(file), pre.mean, pre.std),
        calibration: file.calibration.clone().unwrap_or_default(),
        flip: Flip::Off,
    })
}

/// Returns what an embedding model given by its path wants: as the manifest says of this very file, or as ArcFace
/// models do, with the channels in the order that was given.
pub(super) fn spec_for(model: &ModelSource, manifest: &Manifest, given: Option<ChannelOrder>) -> Result<EmbedderSpec> {
    let hash = hash_of(&model.bytes()?);
    if let Some((pack, file)) = manifest.file_with_hash(&hash) {
        if given.is_some_and(|given| given != order_of(file)) {
            let wanted = order_of(file).as_str();
            return Err(channels(format!("this file is {} of the pack {}: give {wanted}", file.name, pack.name)));
        }
        return spec_of(file);
    }
    let name = model.name();
    let stem = std::path::Path::new(&*name).file_stem().map_or_else(|| "model".into(), |s| s.to_string_lossy());
    let short = hash.as_str().get(..8).unwrap_or_default();
    let order = given.unwrap_or(ChannelOrder::Rgb);
    let suffix = if order == ChannelOrder::Rgb { String::new() } else { format!("-{}", order.as_str()) };
    Ok(EmbedderSpec {
        model: ModelId::new(format!("{stem}@{short}{suffix}")),
        template: Template::arcface112(),
        normalization: Normalization::uniform(order, 127.5, 127.5),
        calibration: Calibration::arcface(),
        flip: Flip::Off,
    })
}
