//! The choices behind an engine and a call of it, as JavaScript gives them.

use std::num::NonZero;

use faceattend_core::detection::{DetectOptions as CoreDetect, DetectorKind as CoreKind, InputSize};
use faceattend_core::embedding::Flip;
use faceattend_core::engine::{
    AnalyzeOptions as CoreOptions, Antispoof as CoreAntispoof, Depth as CoreDepth, Engine as CoreEngine,
    Selection as CoreSelection,
};
use faceattend_core::models::ExecutionProvider;
use faceattend_core::quality::QualityOptions as CoreQuality;
use faceattend_core::{Error, Result};
use napi::bindgen_prelude::Either;
use napi_derive::napi;

use crate::error::invalid;
use crate::face::Rect;

/// How far to take a face. Each level includes the ones before it.
#[napi(string_enum = "snake_case")]
#[derive(Clone, Copy)]
pub enum Depth {
    Detection,
    Pose,
    Embedding,
    Antispoof,
}

/// Which of several faces to take further than detection.
#[napi(string_enum = "snake_case")]
#[derive(Clone, Copy)]
pub enum Selection {
    All,
    Largest,
    MostCentral,
}

/// A family of detection models.
#[napi(string_enum)]
pub enum DetectorKind {
    #[napi(value = "blazeface")]
    Blazeface,
    #[napi(value = "scrfd")]
    Scrfd,
    #[napi(value = "yunet")]
    Yunet,
    #[napi(value = "yolov5-face")]
    YoloV5,
    #[napi(value = "yolov8-face")]
    YoloV8,
    #[napi(value = "yolov10-face")]
    YoloV10,
}

/// Whether the passive antispoof models are used: `auto` when they are installed.
#[napi(string_enum = "lowercase")]
pub enum AntispoofMode {
    Auto,
    Off,
}

/// What runs the models. Anything but the CPU needs a build with its feature and an ONNX Runtime library made for it;
/// asked for and not there, it is an error and never a silent CPU.
#[napi(string_enum = "lowercase")]
pub enum Provider {
    Cpu,
    Cuda,
    TensorRt,
    CoreMl,
    DirectMl,
    OpenVino,
}

/// A detection model of your own.
#[napi(object, object_to_js = false)]
pub struct DetectorFile {
    /// The ONNX file.
    pub file: String,
    /// Its family. Default: told by its outputs.
    pub kind: Option<DetectorKind>,
}

/// What counts as a face, and how closely to look.
#[napi(object, object_to_js = false)]
pub struct DetectOptions {
    /// The lowest score, in [0, 1]. Default: the usual one of the detector's family.
    pub min_score: Option<f64>,
    /// The highest overlap (intersection over union) of two faces, in [0, 1]. Default: the family's.
    pub max_iou: Option<f64>,
    /// The longer side of the detector's input, from 32 to 4096 pixels; `auto` looks closer where it finds only little.
    /// Default `auto`.
    #[napi(ts_type = "'auto' | number")]
    pub input_size: Option<Either<String, f64>>,
}

/// From where on a view is not good enough.
#[napi(object, object_to_js = false)]
pub struct QualityOptions {
    /// The least distance between the eyes, in pixels. Default 16.
    pub min_eye_distance: Option<f64>,
    /// The least variance of the Laplacian. Default 20.
    pub min_sharpness: Option<f64>,
    /// The least mean luminance, in [0, 255]. Default 40.
    pub min_brightness: Option<f64>,
    /// The greatest mean luminance, in [0, 255]. Default 225.
    pub max_brightness: Option<f64>,
    /// The largest yaw and pitch either way, in degrees. Default 45.
    pub max_turn: Option<f64>,
    /// The least part of the face box inside the frame, in [0, 1]. Default 0.85.
    pub min_visible: Option<f64>,
}

/// The choices behind an engine. All of them have defaults: the models of the package, on the CPU.
#[napi(object, object_to_js = false)]
pub struct EngineOptions {
    /// Use the detector and the embedder of this pack; it must be installed (see `models.pull`).
    pub pack: Option<String>,
    /// Look for installed packs in this folder instead of the usual ones.
    pub models_folder: Option<String>,
    /// Use this detection model of your own: an ONNX file, whose family is told by its outputs, or the file with its
    /// family.
    pub detector: Option<Either<String, DetectorFile>>,
    /// The longer side of the detector's input, from 32 to 4096 pixels; `auto` looks closer where it finds only little.
    /// Default `auto`. `detect.inputSize` is its older name.
    #[napi(ts_type = "'auto' | number")]
    pub detector_size: Option<Either<String, f64>>,
    /// Use this embedding model of your own, an ONNX file. One that no pack knows is taken as ArcFace-class.
    pub embedder: Option<String>,
    /// The order of the channels that `embedder` wants, where no pack knows it. Default `rgb`.
    #[napi(ts_type = "'rgb' | 'bgr'")]
    pub embedder_channels: Option<String>,
    /// Embed the mirrored face too and average both: twice the cost for fewer errors. Default false.
    pub flip: Option<bool>,
    /// Default `auto`.
    pub antispoof: Option<AntispoofMode>,
    /// How many frames are analyzed at once. Default: the processors this process may use. libuv has four threads
    /// unless `UV_THREADPOOL_SIZE` says otherwise, and one of them is kept free for Node.
    pub threads: Option<u32>,
    /// Threads inside one run of one model. Default 1.
    pub threads_per_run: Option<u32>,
    /// Default `cpu`.
    pub provider: Option<Provider>,
    /// The ONNX Runtime library to load. Default: `ORT_DYLIB_PATH`, else the one beside the addon, else that of the
    /// package `onnxruntime-node`, else those of the user's cache and of the system. A process loads one, once.
    pub onnxruntime: Option<String>,
    /// What counts as a face.
    pub detect: Option<DetectOptions>,
    /// What counts as a good view.
    pub quality: Option<QualityOptions>,
}

/// What to do with a frame.
#[napi(object, object_to_js = false)]
pub struct AnalyzeOptions {
    /// How far to take each selected face. Default `antispoof`: everything.
    pub depth: Option<Depth>,
    /// Which faces to take there. Default `all`. The others are still listed, after them, with their detection only.
    pub selection: Option<Selection>,
    /// Where to look, in frame pixels. Default: everywhere.
    pub region: Option<Rect>,
}

pub(crate) fn analyze_options(options: Option<AnalyzeOptions>) -> CoreOptions {
    let Some(AnalyzeOptions { depth, selection, region }) = options else { return CoreOptions::default() };
    let mut made = CoreOptions::default();
    if let Some(depth) = depth {
        made = made.with_depth(match depth {
            Depth::Detection => CoreDepth::Detection,
            Depth::Pose => CoreDepth::Pose,
            Depth::Embedding => CoreDepth::Embedding,
            Depth::Antispoof => CoreDepth::Antispoof,
        });
    }
    if let Some(selection) = selection {
        made = made.with_selection(match selection {
            Selection::All => CoreSelection::All,
            Selection::Largest => CoreSelection::Largest,
            Selection::MostCentral => CoreSelection::MostCentral,
        });
    }
    with_region(made, region)
}

pub(super) fn with_region(options: CoreOptions, region: Option<Rect>) -> CoreOptions {
    match region {
        Some(region) => options.with_region(region.into()),
        None => options,
    }
}

pub(super) fn build(options: Option<EngineOptions>) -> Result<CoreEngine> {
    let mut builder = CoreEngine::builder();
    let Some(options) = options else { return builder.build() };
    if let Some(pack) = options.pack {
        builder = builder.with_pack(pack);
    }
    if let Some(folder) = options.models_folder {
        builder = builder.with_models_folder(folder);
    }
    match options.detector {
        Some(Either::A(file)) => builder = builder.with_detector_file(file, None),
        Some(Either::B(DetectorFile { file, kind })) => {
            builder = builder.with_detector_file(file, kind.map(Into::into));
        }
        None => {}
    }
    if let Some(file) = options.embedder {
        builder = builder.with_embedder_file(file, None);
    }
    if let Some(order) = options.embedder_channels {
        builder = builder.with_embedder_channels(order.parse()?);
    }
    if let Some(flip) = options.flip {
        builder = builder.with_flip(if flip { Flip::Average } else { Flip::Off });
    }
    if let Some(AntispoofMode::Off) = options.antispoof {
        builder = builder.with_antispoof(CoreAntispoof::Off);
    }
    if let Some(threads) = options.threads {
        builder = builder.with_threads(at_least_one("threads", threads)?);
    }
    if let Some(threads) = options.threads_per_run {
        builder = builder.with_threads_per_run(at_least_one("threadsPerRun", threads)?);
    }
    if let Some(provider) = options.provider {
        builder = builder.with_provider(provider.into());
    }
    if let Some(library) = options.onnxruntime {
        builder = builder.with_onnxruntime(library);
    }
    let mut detect = options.detect.as_ref().map_or_else(|| Ok(CoreDetect::default()), detect_options)?;
    match (options.detect.and_then(|detect| detect.input_size), options.detector_size) {
        (Some(_), Some(_)) => {
            return Err(invalid("detectorSize", "detect.inputSize is its older name: give one of the two"));
        }
        (Some(size), None) => detect = detect.with_input_size(input_size("inputSize", &size)?),
        (None, Some(size)) => detect = detect.with_input_size(input_size("detectorSize", &size)?),
        (None, None) => {}
    }
    builder = builder.with_detect_options(detect);
    if let Some(quality) = options.quality {
        builder = builder.with_quality_options(quality_options(&quality));
    }
    builder.build()
}

fn at_least_one(what: &'static str, count: u32) -> Result<NonZero<usize>> {
    // A negative number arrives here as one of thousands of millions.
    match NonZero::new(count as usize) {
        Some(count) if count.get() <= 1024 => Ok(count),
        _ => Err(invalid(what, "it must be from 1 to 1024")),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "scores and overlaps need no more than an f32")]
fn detect_options(options: &DetectOptions) -> Result<CoreDetect> {
    let mut made = CoreDetect::default();
    if let Some(score) = options.min_score {
        made = made.with_min_score(score as f32);
    }
    if let Some(iou) = options.max_iou {
        made = made.with_max_iou(iou as f32);
    }
    Ok(made)
}

/// The size that a number or a text says; the core knows which make sense.
fn input_size(what: &'static str, size: &Either<String, f64>) -> Result<InputSize> {
    let text = match size {
        Either::A(text) => text.clone(),
        Either::B(number) => number.to_string(),
    };
    text.parse().map_err(|error: Error| match error {
        Error::InvalidInput { reason, .. } => invalid(what, reason),
        other => other,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "limits need no more than an f32")]
fn quality_options(options: &QualityOptions) -> CoreQuality {
    let mut made = CoreQuality::default();
    let set = |target: &mut f32, value: Option<f64>| {
        if let Some(value) = value {
            *target = value as f32;
        }
    };
    set(&mut made.min_eye_distance, options.min_eye_distance);
    set(&mut made.min_sharpness, options.min_sharpness);
    set(&mut made.brightness.0, options.min_brightness);
    set(&mut made.brightness.1, options.max_brightness);
    set(&mut made.max_turn, options.max_turn);
    set(&mut made.min_visible, options.min_visible);
    made
}

impl From<DetectorKind> for CoreKind {
    fn from(kind: DetectorKind) -> Self {
        match kind {
            DetectorKind::Blazeface => Self::Blazeface,
            DetectorKind::Scrfd => Self::Scrfd,
            DetectorKind::Yunet => Self::Yunet,
            DetectorKind::YoloV5 => Self::YoloV5,
            DetectorKind::YoloV8 => Self::YoloV8,
            DetectorKind::YoloV10 => Self::YoloV10,
        }
    }
}

impl From<Provider> for ExecutionProvider {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Cpu => Self::Cpu,
            Provider::Cuda => Self::Cuda,
            Provider::TensorRt => Self::TensorRt,
            Provider::CoreMl => Self::CoreMl,
            Provider::DirectMl => Self::DirectMl,
            Provider::OpenVino => Self::OpenVino,
        }
    }
}
