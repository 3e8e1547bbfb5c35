//! ONNX Runtime: loads and runs models. The only file that uses `ort`.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ort::environment::Environment;
use ort::ep::ExecutionProviderDispatch;
use ort::session::{Session, SessionOutputs};
use ort::value::{TensorRef, ValueType};
use serde::{Deserialize, Serialize};

use super::runtime;
use crate::error::{Error, Result};

/// The source of a model's bytes.
///
/// ```
/// use faceattend_core::models::ModelSource;
///
/// let source = ModelSource::File("../models/default/blazeface.onnx".into());
/// assert_eq!(source.bytes()?.len(), 299_389);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// Bytes in memory, with a name for messages.
    Bytes {
        /// The name.
        name: Cow<'static, str>,
        /// An ONNX file's contents.
        bytes: Cow<'static, [u8]>,
    },
    /// An ONNX file.
    File(PathBuf),
}

impl ModelSource {
    /// Returns the name for messages.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Bytes { name, .. } => Cow::Borrowed(name),
            Self::File(path) => path.to_string_lossy(),
        }
    }

    /// Returns the bytes.
    ///
    /// # Errors
    /// [`Error::Model`] when the file cannot be read.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Bytes { bytes, .. } => Ok(Cow::Borrowed(bytes)),
            Self::File(path) => std::fs::read(path).map(Cow::Owned).map_err(|e| {
                Error::model(
                    self.name(),
                    format!("cannot be read ({e}); check the path, or run `faceattend models list` for the packs"),
                )
            }),
        }
    }
}

impl fmt::Debug for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelSource({})", self.name())
    }
}

/// The execution provider of the models. Anything but the CPU needs this crate's feature of that name and an ONNX
/// Runtime built with it; asked for and not there, it is an error and never a silent CPU.
///
/// ```
/// use faceattend_core::Engine;
/// use faceattend_core::models::ExecutionProvider;
///
/// // Asked for and not there, it is an error and never a silent CPU.
/// let builder = Engine::builder().with_provider(ExecutionProvider::Cuda);
/// # drop(builder);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ExecutionProvider {
    /// The CPU.
    #[default]
    Cpu,
    /// NVIDIA, through CUDA.
    Cuda,
    /// NVIDIA, through TensorRT.
    TensorRt,
    /// Apple.
    CoreMl,
    /// Windows.
    DirectMl,
    /// Intel.
    OpenVino,
}

impl ExecutionProvider {
    fn dispatch(self) -> Result<Option<ExecutionProviderDispatch>> {
        #[allow(unused_imports, reason = "used only with the features")]
        use ort::ep;
        let missing = |feature: &str| {
            Err(Error::Runtime {
                reason: format!(
                    "{self:?} was asked for, and this build has no support for it: rebuild with the \
                     feature `{feature}`, \
                     or ask for the CPU"
                ),
                source: None,
            })
        };
        match self {
            Self::Cpu => Ok(None),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Some(ep::CUDA::default().build())),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda => missing("cuda"),
            #[cfg(feature = "tensorrt")]
            Self::TensorRt => Ok(Some(ep::TensorRT::default().build())),
            #[cfg(not(feature = "tensorrt"))]
            Self::TensorRt => missing("tensorrt"),
            #[cfg(feature = "coreml")]
            Self::CoreMl => Ok(Some(ep::CoreML::default().build())),
            #[cfg(not(feature = "coreml"))]
            Self::CoreMl => missing("coreml"),
            #[cfg(feature = "directml")]
            Self::DirectMl => Ok(Some(ep::DirectML::default().build())),
            #[cfg(not(feature = "directml"))]
            Self::DirectMl => missing("directml"),
            #[cfg(feature = "openvino")]
            Self::OpenVino => Ok(Some(ep::OpenVINO::default().build())),
            #[cfg(not(feature = "openvino"))]
            Self::OpenVino => missing("openvino"),
        }
    }
}

/// Options of ONNX Runtime.
///
/// ```
/// use faceattend_core::models::{ExecutionProvider, RuntimeOptions};
///
/// let options = RuntimeOptions::default();
/// assert_eq!((options.provider, options.threads_per_run), (ExecutionProvider::Cpu, 0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuntimeOptions {
    /// The ONNX Runtime library; searched for when `None`.
    pub library: Option<PathBuf>,
    /// The execution provider.
    pub provider: ExecutionProvider,
    /// Threads inside one run of one model. 0 and 1 both mean the calling thread alone: no pool is made, and the
    /// parallelism comes from analyzing several frames at once.
    pub threads_per_run: usize,
}

/// One input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name in the graph.
    pub name: String,
    /// Its shape; -1 for a dimension that is free.
    pub shape: Vec<i64>,
}

/// A loaded model. Running needs `&mut self` because ONNX Runtime reuses the session's buffers; hold one per thread.
pub struct ModelSession {
    session: Session,
    name: String,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl ModelSession {
    /// Loads a model of one `f32` input.
    ///
    /// # Errors
    /// [`Error::Runtime`] when the library or the provider is missing, [`Error::Model`] when the file is no such
    /// model.
    pub fn load(source: &ModelSource, options: &RuntimeOptions) -> Result<Self> {
        let environment = environment(options.library.as_deref())?;
        let provider = options.provider.dispatch()?;
        let name = source.name().into_owned();
        let bytes = source.bytes()?;
        let configured = (|| -> ort::Result<_> {
            let mut builder = Session::builder(&environment)?
                .with_intra_threads(options.threads_per_run.max(1))?
                .with_inter_threads(1)?
                .with_intra_op_spinning(false)?;
            if let Some(provider) = provider {
                builder = builder.with_execution_providers([provider.error_on_failure()])?;
            }
            Ok(builder)
        })();
        let mut builder = configured.map_err(|e| Error::Runtime {
            reason: format!("{:?} could not be set up", options.provider),
            source: Some(Box::new(e)),
        })?;
        let session = builder.commit_from_memory(&bytes).map_err(|e| {
            Error::model(
                &name,
                format!(
                    "is no model that ONNX Runtime can load ({e}); run `faceattend models verify` or fetch it again"
                ),
            )
        })?;
        let ports = |outlets: &[ort::value::Outlet]| -> Vec<Port> {
            outlets
                .iter()
                .map(|outlet| Port {
                    name: outlet.name().to_owned(),
                    shape: match outlet.dtype() {
                        ValueType::Tensor { shape, .. } => shape.to_vec(),
                        _ => Vec::new(),
                    },
                })
                .collect()
        };
        let (inputs, outputs) = (ports(session.inputs()), ports(session.outputs()));
        if inputs.len() != 1 || inputs[0].shape.len() != 4 {
            return Err(Error::model(
                name,
                "expected one image input of four dimensions (batch, channel, height, width)",
            ));
        }
        Ok(Self { session, name, inputs, outputs })
    }

    /// Returns the model's name for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the image input: batch, channel, height, width.
    #[must_use]
    pub fn input(&self) -> &Port {
        &self.inputs[0]
    }

    /// Returns the outputs, in the graph's order.
    #[must_use]
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Runs the model on `data` of `shape` (batch, channel, height, width), and `read`s its outputs where they lie.
    ///
    /// # Errors
    /// [`Error::Inference`] when the run fails, and what `read` fails with.
    pub fn run<R>(
        &mut self,
        shape: [usize; 4],
        data: &[f32],
        read: impl FnOnce(&Outputs<'_, '_>) -> Result<R>,
    ) -> Result<R> {
        let failed = |e: ort::Error| Error::Inference { model: self.name.clone(), source: Box::new(e) };
        let tensor = TensorRef::from_array_view((shape, data)).map_err(failed)?;
        let started = Instant::now();
        let outputs = self.session.run(ort::inputs![tensor]);
        IN_MODELS.set(IN_MODELS.get() + started.elapsed());
        let outputs = outputs.map_err(failed)?;
        read(&Outputs { outputs: &outputs, model: &self.name })
    }
}

impl fmt::Debug for ModelSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelSession({})", self.name)
    }
}

thread_local! {
    static IN_MODELS: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Returns the time that this thread has spent in runs of models since it began. What an analysis adds to it, beside
/// how long the analysis took, tells how much of it is not the models'.
#[must_use]
pub fn time_in_models() -> Duration {
    IN_MODELS.get()
}

/// The outputs of one run, borrowed from the session.
pub struct Outputs<'a, 's> {
    outputs: &'a SessionOutputs<'s>,
    model: &'a str,
}

impl Outputs<'_, '_> {
    /// Returns the shape and the values of the output at `index`.
    ///
    /// # Errors
    /// [`Error::Model`] when there is no such output or it holds no `f32`.
    pub fn at(&self, index: usize) -> Result<(&[i64], &[f32])> {
        if index >= self.outputs.len() {
            return Err(Error::model(self.model, format!("has no output {index}")));
        }
        self.outputs[index]
            .try_extract_tensor::<f32>()
            .map(|(shape, values)| (&**shape, values))
            .map_err(|e| Error::model(self.model, format!("output {index} holds no f32 ({e})")))
    }

    /// Returns the values of the output called `name`.
    ///
    /// # Errors
    /// [`Error::Model`] when there is no such output or it holds no `f32`.
    pub fn named(&self, name: &str) -> Result<&[f32]> {
        self.outputs
            .get(name)
            .ok_or_else(|| Error::model(self.model, format!("has no output `{name}`")))?
            .try_extract_tensor::<f32>()
            .map(|(_, values)| values)
            .map_err(|e| Error::model(self.model, format!("output `{name}` holds no f32 ({e})")))
    }
}

/// The process's one ONNX Runtime environment. Made at the first model and kept: the runtime allows one, and a library
/// once loaded cannot be exchanged.
static ENVIRONMENT: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Returns the ONNX Runtime library that this process has loaded; `None` before the first model.
///
/// ```
/// use faceattend_core::Engine;
/// use faceattend_core::models::loaded_runtime;
///
/// assert_eq!(loaded_runtime(), None);
/// let engine = Engine::new()?;
/// assert!(loaded_runtime().is_some());
/// # drop(engine);
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[must_use]
pub fn loaded_runtime() -> Option<PathBuf> {
    let slot = ENVIRONMENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    slot.as_ref().map(|(path, _)| path.clone())
}

fn environment(explicit: Option<&Path>) -> Result<Environment> {
    let mut slot = ENVIRONMENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((loaded, environment)) = &*slot {
        if explicit.is_some_and(|wanted| wanted != loaded) {
            return Err(Error::Runtime {
                reason: format!("{} is loaded already; a process can hold one library", loaded.display()),
                source: None,
            });
        }
        return Ok(environment.clone());
    }
    let path = runtime::locate(explicit)?;
    let environment = ort::init_from(&path)
        .map_err(|e| Error::Runtime {
            reason: format!(
                "{e}. 1.24 or newer is needed: run `cargo xtask setup`, or name another with ORT_DYLIB_PATH"
            ),
            source: None,
        })?
        .with_name("faceattend")
        .build()
        .map_err(|e| Error::Runtime { reason: "could not be started".into(), source: Some(Box::new(e)) })?;
    tracing::debug!(library = %path.display(), "loaded ONNX Runtime");
    *slot = Some((path, environment.clone()));
    Ok(environment)
}
