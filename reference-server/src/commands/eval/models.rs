//! Which models are measured.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use faceattend_core::Result;
use faceattend_core::embedding::Flip;
use faceattend_core::engine::{Antispoof, Engine};
use faceattend_core::frame::ChannelOrder;
use faceattend_core::models::store::{hash_of, hash_of_file};

use super::bad;
use crate::commands::serve::args::parsed;

/// The models, as the server takes them, and those that are only files.
#[derive(Debug, Clone, Args)]
pub(super) struct ModelArgs {
    /// The folder of model packs [default: faceattend/models among the user's data]
    #[arg(long, env = "FACEATTEND_MODELS", value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// The model pack, as `faceattend models list` names it
    #[arg(long, env = "FACEATTEND_PACK", value_name = "NAME")]
    pack: Option<String>,
    /// A detector's file, in place of the pack's
    #[arg(long, value_name = "FILE")]
    detector: Option<PathBuf>,
    /// An embedder's file, in place of the pack's; one that no pack knows is taken as ArcFace-class
    #[arg(long, value_name = "FILE")]
    embedder: Option<PathBuf>,
    /// The order of the channels that the embedder's file wants, where no pack knows it
    #[arg(long, requires = "embedder", value_name = "ORDER", value_parser = parsed::<ChannelOrder>)]
    embedder_channels: Option<ChannelOrder>,
    /// Also embeds the mirrored face and averages both
    #[arg(long)]
    flip: bool,
    /// An antispoof network's file, once for each; the size of its crop over the face is the number that its name
    /// begins with (2.7_80x80_...), or is given as SCALE=FILE
    #[arg(long, value_name = "[SCALE=]FILE")]
    antispoof: Vec<String>,
    /// The ONNX Runtime library [default: looked for in the usual places]
    #[arg(long, env = "FACEATTEND_ONNXRUNTIME", value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
    /// How many pictures are measured at once [default: one a processor]
    #[arg(long, env = "FACEATTEND_THREADS")]
    threads: Option<NonZero<usize>>,
}

/// An engine, and what tells its scores from those of other models.
pub(super) struct Loaded {
    pub(super) engine: Engine,
    /// Changes with every model, option and version that can change a score.
    pub(super) fingerprint: String,
}

impl ModelArgs {
    /// The same models, analyzing one picture after the other.
    pub(super) fn on_one_thread(&self) -> Self {
        Self { threads: Some(NonZero::<usize>::MIN), ..self.clone() }
    }

    /// Loads the models; `with_antispoof` says whether those of passive antispoof are wanted.
    pub(super) fn load(&self, with_antispoof: bool) -> Result<Loaded> {
        let mut parts = vec![format!("version {}", env!("CARGO_PKG_VERSION"))];
        let mut builder = Engine::builder();
        if let Some(folder) = &self.models_dir {
            builder = builder.with_models_folder(folder);
        }
        if let Some(pack) = &self.pack {
            builder = builder.with_pack(pack);
        }
        if let Some(path) = &self.detector {
            parts.push(format!("detector {}", hash_of_file(path)?));
            builder = builder.with_detector_file(path, None);
        }
        if let Some(path) = &self.embedder {
            builder = builder.with_embedder_file(path, None);
        }
        if let Some(order) = self.embedder_channels {
            builder = builder.with_embedder_channels(order);
        }
        if self.flip {
            builder = builder.with_flip(Flip::Average);
        }
        let antispoof = match self.antispoof.as_slice() {
            _ if !with_antispoof => Antispoof::Off,
            [] => Antispoof::Auto,
            given => Antispoof::Files(given.iter().map(|text| antispoof_file(text)).collect::<Result<_>>()?),
        };
        if let Antispoof::Files(files) = &antispoof {
            for (path, tenths) in files {
                parts.push(format!("antispoof {} {tenths}", hash_of_file(path)?));
            }
        }
        builder = builder.with_antispoof(antispoof);
        if let Some(library) = &self.onnxruntime {
            builder = builder.with_onnxruntime(library);
        }
        if let Some(threads) = self.threads {
            builder = builder.with_threads(threads);
        }
        let engine = builder.build()?;
        let description = engine.description();
        parts.extend([description.detector.clone(), description.embedder.clone(), description.antispoof.clone()]);
        parts.push(format!("flip {} channels {:?}", self.flip, self.embedder_channels));
        let fingerprint = hash_of(parts.join("\n").as_bytes()).as_str().chars().take(16).collect();
        Ok(Loaded { engine, fingerprint })
    }
}

/// The file and the tenths of its crop's scale: `2.7=FILE`, or by the name that Silent-Face's files have.
fn antispoof_file(text: &str) -> Result<(PathBuf, u32)> {
    let explicit =
        text.split_once('=').and_then(|(scale, path)| Some((scale.parse::<f32>().ok()?, PathBuf::from(path))));
    let by_name = || {
        let path = PathBuf::from(text);
        let name = path.file_name()?.to_str()?;
        let scale = name.split('_').next()?.parse::<f32>().ok()?;
        Some((scale, path))
    };
    match explicit.or_else(by_name) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tenths of 1 to 10")]
        Some((scale, path)) if (1.0..=10.0).contains(&scale) => Ok((path, (scale * 10.0).round() as u32)),
        _ => Err(bad(
            "antispoof",
            format!("{text}: its name does not begin with the scale of its crop; give it as 2.7={text}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_of_an_antispoof_crop_is_in_its_name_or_before_it() {
        let of = |text: &str| antispoof_file(text).map(|(path, tenths)| (path.display().to_string(), tenths));
        assert_eq!(of("d/2.7_80x80_MiniFASNetV2.onnx").unwrap(), ("d/2.7_80x80_MiniFASNetV2.onnx".into(), 27));
        assert_eq!(of("d/4_0_0_80x80_MiniFASNetV1SE.onnx").unwrap().1, 40);
        assert_eq!(of("4.0=other.onnx").unwrap(), ("other.onnx".into(), 40));
        assert!(of("other.onnx").unwrap_err().to_string().contains("2.7=other.onnx"));
    }
}
