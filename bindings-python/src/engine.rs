//! The engine, loaded at its first use in each process.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::engine::{
    Analysis, AnalyzeOptions, Antispoof, Depth, Engine as CoreEngine, EngineBuilder, Selection, SingleFace,
};
use faceattend_core::frame::ChannelOrder;
use faceattend_core::geometry::Rect;
use faceattend_core::models::ExecutionProvider;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::embedding::Embedding;
use crate::error::invalid_input;
use crate::face::{Corners, Face};
use crate::frame::Picture;
use crate::gil::{attached, detached};
use crate::per_process::PerProcess;

/// Finds, measures and embeds faces.
///
/// One engine serves every thread. It loads its models at its first use, and after a fork the child loads them anew,
/// so an engine can be made while a server preloads its application.
///
/// Parameters
/// ----------
/// pack : str, optional
///     An installed model pack (see ``faceattend.models``). Default: the pack inside this module.
/// models_folder : path, optional
///     Where installed packs are. Default: ``FACEATTEND_MODELS``, else the user's data folder.
/// detector : path, optional
///     A detection model of your own: SCRFD, YuNet, YOLO-face or BlazeFace. Its outputs tell which one it is.
/// detector_size : int or "auto", optional
///     The longer side of the detector's input in pixels, from 32 to 4096. Default ``"auto"``: small pictures first,
///     larger ones for little faces.
/// embedder : path, optional
///     An embedding model of your own instead of the pack's. One that no pack knows is taken as ArcFace-class.
/// embedder_channels : {"rgb", "bgr"}, optional
///     The order of the channels that ``embedder`` wants, where no pack knows it. Default ``"rgb"``.
/// antispoof : {"auto", "off"}
///     Whether the passive antispoof models run, where they are installed.
/// provider : {"cpu", "cuda", "tensorrt", "coreml", "directml", "openvino"}
///     What runs the models. A provider that is not available is an error; the CPU does not silently replace it.
/// onnxruntime : path, optional
///     ONNX Runtime's library. Default: ``ORT_DYLIB_PATH``, else the one of the package ``onnxruntime``.
/// threads : int, optional
///     How many frames are analyzed at once. Default: the processors that this process may use.
/// threads_per_run : int, optional
///     Threads inside one run of a model. Default 1.
/// min_score : float, optional
///     The lowest score of a face, in [0, 1]. Default: the detector's usual one.
/// input_size : int, optional
///     The older name of ``detector_size``.
///
/// Raises
/// ------
/// InvalidInputError
///     For an option that is out of its range. A model or library that is missing shows at the first use, or in
///     ``load``: ``ModelError``, ``RuntimeLibraryError``.
///
/// Examples
/// --------
/// >>> engine = faceattend.Engine(threads=2)
/// >>> [face] = engine.analyze("left.jpg", depth="embedding")         # doctest: +SKIP
/// >>> face.pose.yaw, face.embedding.model                            # doctest: +SKIP
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Engine {
    inner: Arc<PerProcess<CoreEngine>>,
}

impl Engine {
    /// The engine of this process, loaded if it was not. Call it without the interpreter.
    pub(crate) fn core(&self) -> faceattend_core::Result<Arc<CoreEngine>> {
        self.inner.get()
    }

    fn single_face(&self, frame: &Bound<'_, PyAny>, color: &str, region: Option<Corners>) -> PyResult<SingleFace> {
        let region = self::region(frame.py(), region)?;
        let engine = &self.inner;
        Picture::of(frame, color)?.with(frame.py(), |frame| SingleFace::find(&*engine.get()?, frame, region))
    }

    fn look(&self, frame: &Bound<'_, PyAny>, color: &str, options: AnalyzeOptions) -> PyResult<Vec<Face>> {
        let py = frame.py();
        let Analysis { faces, .. } = Picture::of(frame, color)?.analyze(py, &self.inner, &options)?;
        faces.into_iter().map(|face| Face::new(py, face)).collect()
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, pack=None, models_folder=None, detector=None, embedder=None, antispoof="auto",
        provider="cpu", onnxruntime=None, threads=None, threads_per_run=None, min_score=None, input_size=None,
        embedder_channels=None, detector_size=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, which Python callers give by name")]
    fn new(
        py: Python<'_>,
        pack: Option<String>,
        models_folder: Option<PathBuf>,
        detector: Option<PathBuf>,
        embedder: Option<PathBuf>,
        antispoof: &str,
        provider: &str,
        onnxruntime: Option<PathBuf>,
        threads: Option<usize>,
        threads_per_run: Option<usize>,
        min_score: Option<f32>,
        input_size: Option<usize>,
        embedder_channels: Option<&str>,
        detector_size: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let positive = |what, value: Option<usize>| {
            value.map(|value| NonZero::new(value).ok_or_else(|| invalid_input(py, what, "0 is too few"))).transpose()
        };
        let (threads, threads_per_run) = (positive("threads", threads)?, positive("threads_per_run", threads_per_run)?);
        let antispoof = match antispoof {
            "auto" => Antispoof::Auto,
            "off" => Antispoof::Off,
            other => return Err(invalid_input(py, "antispoof", format!("{other:?} is neither \"auto\" nor \"off\""))),
        };
        let provider = self::provider(py, provider)?;
        if min_score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
            return Err(invalid_input(py, "min_score", "it is not between 0 and 1"));
        }
        let mut detect = DetectOptions::default();
        if let Some(score) = min_score {
            detect = detect.with_min_score(score);
        }
        match (input_size, detector_size) {
            (Some(_), Some(_)) => {
                return Err(invalid_input(py, "detector_size", "input_size is its older name: give one of the two"));
            }
            (Some(size), None) => detect = detect.with_input_size(InputSize::Fixed(size)),
            (None, Some(size)) => {
                let size = size.str()?;
                detect = detect.with_input_size(attached(py, || size.to_string_lossy().parse())?);
            }
            (None, None) => {}
        }
        let embedder_channels: Option<ChannelOrder> =
            embedder_channels.map(|name| attached(py, || name.parse())).transpose()?;
        let plan = move || {
            let mut builder: EngineBuilder = CoreEngine::builder()
                .with_antispoof(antispoof.clone())
                .with_provider(provider)
                .with_detect_options(detect);
            if let Some(pack) = &pack {
                builder = builder.with_pack(pack);
            }
            if let Some(folder) = &models_folder {
                builder = builder.with_models_folder(folder);
            }
            if let Some(path) = &detector {
                builder = builder.with_detector_file(path, None);
            }
            if let Some(path) = &embedder {
                builder = builder.with_embedder_file(path, None);
            }
            if let Some(order) = embedder_channels {
                builder = builder.with_embedder_channels(order);
            }
            if let Some(threads) = threads {
                builder = builder.with_threads(threads);
            }
            if let Some(threads) = threads_per_run {
                builder = builder.with_threads_per_run(threads);
            }
            match onnxruntime.clone().or_else(runtime_of_this_python) {
                Some(library) => builder.with_onnxruntime(library),
                None => builder,
            }
            .build()
        };
        Ok(Self { inner: Arc::new(PerProcess::new(plan)) })
    }

    /// Returns the faces of a frame, largest first: boxes, scores and, from most detectors, points.
    ///
    /// A JPEG in bytes, base64 or a file is decoded only as large as the detector needs it. That is faster than
    /// calling ``decode_image`` first. See ``analyze`` for the arguments.
    #[pyo3(signature = (frame, *, color="bgr", region=None))]
    fn detect(&self, frame: &Bound<'_, PyAny>, color: &str, region: Option<Corners>) -> PyResult<Vec<Face>> {
        self.look(frame, color, options("detection", "all", region, frame.py())?)
    }

    /// Returns the faces of a frame, largest first, each taken as far as ``depth`` says.
    ///
    /// Parameters
    /// ----------
    /// frame : array, bytes, str, path or image
    ///     NumPy
    ///     ``uint8`` of height x width x 3 (copied first), the bytes of a JPEG, PNG or
    ///     WebP, its base64 or data URI, its path, a PIL image, or a ``faceattend.Frame``.
    /// color : {"bgr", "rgb"}
    ///     The order of an array's channels. OpenCV gives ``"bgr"``. Other pictures know their own.
    /// depth : {"detection", "pose", "embedding", "antispoof"}
    ///     How far each face is taken; each level includes the ones before it.
    /// selection : {"all", "largest", "most_central"}
    ///     Which faces are taken that far. The others follow, with their detection only.
    /// region : (x1, y1, x2, y2), optional
    ///     The part of the frame to search, in pixels.
    ///
    /// Raises
    /// ------
    /// InvalidImageError
    ///     For bytes that are no picture. A picture without faces is an empty list.
    #[pyo3(signature = (frame, *, color="bgr", depth="antispoof", selection="all", region=None))]
    fn analyze(
        &self,
        frame: &Bound<'_, PyAny>,
        color: &str,
        depth: &str,
        selection: &str,
        region: Option<Corners>,
    ) -> PyResult<Vec<Face>> {
        self.look(frame, color, options(depth, selection, region, frame.py())?)
    }

    /// Returns the embedding of the largest face, or ``None`` when there is no face.
    ///
    /// See ``analyze`` for the arguments.
    #[pyo3(signature = (frame, *, color="bgr", region=None))]
    fn embed(&self, frame: &Bound<'_, PyAny>, color: &str, region: Option<Corners>) -> PyResult<Option<Embedding>> {
        Ok(self.single_face(frame, color, region)?.into_embedding().map(Embedding::from))
    }

    /// Returns the embedding of the only face of a picture, if it is clear enough to enrol somebody by it.
    ///
    /// A small face in the background does no harm. See ``analyze`` for the arguments.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     When there is no face, when there are several, or when the face is not clear. The message says what to do.
    #[pyo3(signature = (frame, *, color="bgr", region=None))]
    fn template(&self, frame: &Bound<'_, PyAny>, color: &str, region: Option<Corners>) -> PyResult<Embedding> {
        let picture = self.single_face(frame, color, region)?;
        attached(frame.py(), || picture.into_template()).map(Embedding::from)
    }

    /// Loads the models now, rather than at the first frame.
    fn load(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.core().map(|_| ()))
    }

    /// The id of the embedding model, which tags every embedding. Loads the models.
    #[getter]
    fn model(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || Ok(self.core()?.embedder().model.to_string()))
    }

    /// The number of values of an embedding. Loads the models.
    #[getter]
    fn dimension(&self, py: Python<'_>) -> PyResult<usize> {
        detached(py, || Ok(self.core()?.embedder().dimension))
    }

    /// Returns what the engine runs, as a dictionary: detector, embedder, antispoof (or why there is none) and
    /// threads. Loads the models.
    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let description = detached(py, || Ok(self.core()?.description().clone()))?;
        let dict = PyDict::new(py);
        dict.set_item("detector", description.detector)?;
        dict.set_item("embedder", description.embedder)?;
        dict.set_item("antispoof", description.antispoof)?;
        dict.set_item("threads", description.threads)?;
        Ok(dict)
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.Engine>"
    }
}

/// The options that the words mean.
pub(crate) fn options(
    depth: &str,
    selection: &str,
    region: Option<Corners>,
    py: Python<'_>,
) -> PyResult<AnalyzeOptions> {
    let depth = match depth {
        "detection" => Depth::Detection,
        "pose" => Depth::Pose,
        "embedding" => Depth::Embedding,
        "antispoof" => Depth::Antispoof,
        other => return Err(invalid_input(py, "depth", format!("{other:?} is no depth"))),
    };
    let selection = match selection {
        "all" => Selection::All,
        "largest" => Selection::Largest,
        "most_central" => Selection::MostCentral,
        other => return Err(invalid_input(py, "selection", format!("{other:?} is no selection"))),
    };
    let options = AnalyzeOptions::default().with_depth(depth).with_selection(selection);
    Ok(match self::region(py, region)? {
        Some(region) => options.with_region(region),
        None => options,
    })
}

fn region(py: Python<'_>, corners: Option<Corners>) -> PyResult<Option<Rect>> {
    match corners {
        Some((x1, y1, x2, y2)) if [x1, y1, x2, y2].iter().all(|side| side.is_finite()) => {
            Ok(Some(Rect::new(x1, y1, x2, y2)))
        }
        Some(_) => Err(invalid_input(py, "region", "its sides are no numbers")),
        None => Ok(None),
    }
}

fn provider(py: Python<'_>, name: &str) -> PyResult<ExecutionProvider> {
    serde_json::from_value(name.into()).map_err(|_| invalid_input(py, "provider", format!("{name:?} is not known")))
}

/// The library in the package `onnxruntime` of this very interpreter, which pip installs as our dependency. The core
/// looks in the active virtual environment by itself, but a server often runs without one being active. What the
/// operator named in `ORT_DYLIB_PATH` goes first, as the core has it.
fn runtime_of_this_python() -> Option<PathBuf> {
    if std::env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty()) {
        return None;
    }
    Python::attach(|py| {
        // Found, not imported: the package's own extension would load the library a second time, with its own threads.
        let spec = py.import("importlib.util").ok()?.call_method1("find_spec", ("onnxruntime",)).ok()?;
        let folders: Vec<PathBuf> = spec.getattr("submodule_search_locations").ok()?.extract().ok()?;
        folders.iter().find_map(|folder| library_in(&folder.join("capi")))
    })
}

fn library_in(folder: &std::path::Path) -> Option<PathBuf> {
    let is_library = |name: &str| {
        name.starts_with("libonnxruntime.so")
            || name.starts_with("libonnxruntime.") && name.ends_with("dylib")
            || name == "onnxruntime.dll"
    };
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library))
        .collect();
    found.sort();
    found.pop()
}
