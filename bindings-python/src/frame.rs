//! Pictures in every form that Python programs use.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{Analysis, AnalyzeOptions, Engine};
use faceattend_core::frame::{ChannelOrder, Frame as CoreFrame};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use numpy::ndarray::{ArrayView3, Axis};
use numpy::{PyArray3, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyString};

use crate::error::{exception, invalid_input};
use crate::gil::detached;
use crate::per_process::PerProcess;
use crate::pil;
use crate::time::datetime;

/// A picture of a camera or recording: ``height`` x ``width`` x 3 bytes, with the time it was captured.
///
/// ``numpy.asarray(frame)`` is a read-only view of its pixels without a copy, in the channel order ``frame.color``.
///
/// Examples
/// --------
/// >>> frame = faceattend.decode_image("left.jpg")                    # doctest: +SKIP
/// >>> frame.shape, frame.color                                       # doctest: +SKIP
/// ((480, 640, 3), 'rgb')
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Frame {
    pub(crate) inner: CoreFrame<'static>,
}

#[pymethods]
impl Frame {
    /// (height, width, 3), as in NumPy.
    #[getter]
    fn shape(&self) -> (u32, u32, u32) {
        (self.inner.height(), self.inner.width(), 3)
    }

    /// The order of the three bytes of a pixel: ``"rgb"`` or ``"bgr"``.
    #[getter]
    fn color(&self) -> &'static str {
        match self.inner.order() {
            ChannelOrder::Rgb => "rgb",
            ChannelOrder::Bgr => "bgr",
        }
    }

    /// When the frame was captured, in UTC; ``None`` when its source did not say.
    #[getter]
    fn captured_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.inner.captured_at().map(|at| datetime(py, at)).transpose()
    }

    /// Returns the pixels as a NumPy array of ``uint8``, height x width x 3.
    ///
    /// Parameters
    /// ----------
    /// color : {"bgr", "rgb"}, optional
    ///     The order of the channels. The order that the frame has (the default) is a read-only view without a copy;
    ///     the other one is a new array.
    #[pyo3(signature = (color=None))]
    fn to_numpy<'py>(slf: &Bound<'py, Self>, color: Option<&str>) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let py = slf.py();
        let frame = &slf.get().inner;
        let shape = (frame.height() as usize, frame.width() as usize, 3);
        let view = ArrayView3::from_shape(shape, frame.pixels())
            .map_err(|e| exception(py, &Error::Internal { reason: e.to_string() }))?;
        if color.map(|color| order(py, color)).transpose()?.is_none_or(|wanted| wanted == frame.order()) {
            // SAFETY: the view borrows from `slf`, which is frozen and is made the array's base.
            #[expect(unsafe_code, reason = "a view of a frozen object's own pixels")]
            let array = unsafe { PyArray3::borrow_from_array(&view, slf.clone().into_any()) };
            array.try_readwrite()?.make_nonwriteable();
            return Ok(array);
        }
        let mut swapped = view.to_owned();
        swapped.invert_axis(Axis(2));
        Ok(PyArray3::from_array(py, &swapped))
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        converted(Self::to_numpy(slf, None)?.into_any(), dtype, copy)
    }

    fn __repr__(&self) -> String {
        format!("<faceattend.Frame {}x{} {}>", self.inner.width(), self.inner.height(), self.color())
    }
}

/// Applies the two arguments of `__array__`.
pub(crate) fn converted<'py>(
    array: Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let array = match dtype {
        Some(dtype) => {
            let options = PyDict::new(array.py());
            options.set_item("copy", false)?;
            array.call_method("astype", (dtype,), Some(&options))?
        }
        None => array,
    };
    if copy == Some(true) { array.call_method0("copy") } else { Ok(array) }
}

/// The order that `color` names.
pub(crate) fn order(py: Python<'_>, color: &str) -> PyResult<ChannelOrder> {
    match color.to_ascii_lowercase().as_str() {
        "bgr" => Ok(ChannelOrder::Bgr),
        "rgb" => Ok(ChannelOrder::Rgb),
        _ => Err(invalid_input(py, "color", format!("{color:?} is neither \"bgr\" nor \"rgb\""))),
    }
}

/// A picture as it was given, held while the core analyzes it. Nothing in it changes meanwhile, though the interpreter
/// runs other threads: what they could write to or free, an array or a `bytearray`, is copied first.
pub(crate) enum Picture<'py> {
    /// Pixels of our own.
    Owned(CoreFrame<'static>),
    /// A frame of a camera.
    Frame(Bound<'py, Frame>),
    /// An encoded picture, in place.
    Bytes(Bound<'py, PyBytes>),
    /// An encoded picture.
    Encoded(Vec<u8>),
    /// Base64 of one.
    Base64(String),
    /// A file of one.
    File(PathBuf),
}

/// What is left of it without the interpreter.
enum Source<'a> {
    Frame(&'a CoreFrame<'static>),
    Encoded(&'a [u8]),
    Base64(&'a str),
    File(&'a Path),
}

/// A picture as the core takes it.
enum Taken<'a> {
    Frame(&'a CoreFrame<'static>),
    Encoded(&'a [u8]),
}

impl<'py> Picture<'py> {
    /// The picture in `value`: see the documentation of `Engine.analyze` for what is taken.
    pub(crate) fn of(value: &Bound<'py, PyAny>, color: &str) -> PyResult<Self> {
        let py = value.py();
        let order = order(py, color)?;
        if let Ok(frame) = value.cast::<Frame>() {
            return Ok(Self::Frame(frame.clone()));
        }
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone()));
        }
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Self::of_text(text.to_cow()?));
        }
        if let Ok(array) = value.cast::<PyArrayDyn<u8>>() {
            return Self::of_array(array, order);
        }
        if let Ok(bytes) = value.cast::<PyByteArray>() {
            return Ok(Self::Encoded(bytes.to_vec()));
        }
        if let Ok(path) = value.call_method0("__fspath__") {
            return Ok(Self::File(path.extract()?));
        }
        if pil::is_image(value)? {
            return pil::frame_of(value).map(Self::Owned);
        }
        let class = value.get_type();
        if class.name().is_ok_and(|name| name == "memoryview") {
            return Ok(Self::Encoded(value.call_method0("tobytes")?.extract()?));
        }
        if value.hasattr("dtype")? {
            let dtype = value.getattr("dtype")?;
            return Err(invalid_input(py, "frame", format!("the array is of {dtype}, expected uint8")));
        }
        Err(invalid_input(
            py,
            "frame",
            format!("a {} is no picture: give a NumPy array, JPEG bytes, base64, a PIL image or a path", class.name()?),
        ))
    }

    /// A data URI, the path of a file, or base64.
    fn of_text(text: Cow<'_, str>) -> Self {
        // Base64 of the smallest picture is longer than any name that a file system takes in one part.
        if !text.starts_with("data:") && text.len() < 4096 && Path::new(&*text).is_file() {
            return Self::File(PathBuf::from(&*text));
        }
        Self::Base64(text.into_owned())
    }

    fn of_array(array: &Bound<'py, PyArrayDyn<u8>>, order: ChannelOrder) -> PyResult<Self> {
        let py = array.py();
        let read = array.try_readonly().map_err(|e| invalid_input(py, "frame", e.to_string()))?;
        let shape = read.shape().to_vec();
        let view = read.as_array();
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let owned = |pixels: Vec<u8>| {
            CoreFrame::new(pixels, side(shape[1]), side(shape[0]), order)
                .map(Self::Owned)
                .map_err(|error| exception(py, &error))
        };
        match shape[..] {
            // A view for reading would not keep other threads from writing, nor `resize` from freeing.
            [_, _, 3] => owned(read.as_slice().map_or_else(|_| view.iter().copied().collect(), <[u8]>::to_vec)),
            // The fourth channel is transparency, which no face has.
            [_, _, 4] => owned(view.iter().enumerate().filter(|(i, _)| i % 4 != 3).map(|(_, v)| *v).collect()),
            [_, _, 1] | [_, _] => owned(view.iter().flat_map(|gray| [*gray; 3]).collect()),
            _ => Err(invalid_input(py, "frame", format!("the array has shape {shape:?}, expected (height, width, 3)"))),
        }
    }

    /// Calls `look` with the frame, with the interpreter released: decoding is the core's work as well.
    pub(crate) fn with<T: Send>(
        &self,
        py: Python<'_>,
        look: impl FnOnce(&CoreFrame<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.taken(py, |taken| match taken {
            Taken::Frame(frame) => look(frame),
            Taken::Encoded(bytes) => look(&decode(bytes, &DecodeLimits::default())?),
        })
    }

    /// Returns the faces, with the interpreter released. What is encoded is decoded no further than `options` need.
    pub(crate) fn analyze(
        &self,
        py: Python<'_>,
        engine: &PerProcess<Engine>,
        options: &AnalyzeOptions,
    ) -> PyResult<Analysis> {
        self.taken(py, |taken| match taken {
            Taken::Frame(frame) => engine.get()?.analyze(frame, options),
            Taken::Encoded(bytes) => engine.get()?.analyze_encoded(bytes, &DecodeLimits::default(), options),
        })
    }

    fn taken<T: Send>(&self, py: Python<'_>, look: impl FnOnce(Taken<'_>) -> Result<T> + Send) -> PyResult<T> {
        let source = match self {
            Self::Owned(frame) => Source::Frame(frame),
            Self::Frame(frame) => Source::Frame(&frame.get().inner),
            Self::Bytes(bytes) => Source::Encoded(bytes.as_bytes()),
            Self::Encoded(bytes) => Source::Encoded(bytes),
            Self::Base64(text) => Source::Base64(text),
            Self::File(path) => Source::File(path),
        };
        detached(py, move || match source {
            Source::Frame(frame) => look(Taken::Frame(frame)),
            Source::Encoded(bytes) => look(Taken::Encoded(bytes)),
            Source::Base64(text) => look(Taken::Encoded(&bytes_of(text)?)),
            Source::File(path) => {
                let read = |source| Error::Io { action: "read", path: path.into(), source };
                look(Taken::Encoded(&std::fs::read(path).map_err(read)?))
            }
        })
    }
}

/// Returns the bytes behind base64 or a data URI. It accepts line breaks and missing padding.
fn bytes_of(text: &str) -> Result<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
    let encoded = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map(|(_, encoded)| encoded),
        None => Some(text),
    };
    let invalid = || Error::InvalidImage {
        reason: "the text is no data URI, no base64 and no path of a file that exists".into(),
    };
    let clean: Vec<u8> = encoded.ok_or_else(invalid)?.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match ENGINE.decode(clean) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(invalid()),
    }
}

/// Returns a picture as a `Frame` in RGB: for pictures that are analyzed more than once.
///
/// Parameters
/// ----------
/// image : array, bytes, str, path or image
///     See ``Engine.analyze``.
/// color : {"bgr", "rgb"}
///     The order of an array's channels.
///
/// Raises
/// ------
/// InvalidImageError
///     For bytes that are no picture, or break a limit on pictures.
#[pyfunction]
#[pyo3(signature = (image, *, color="bgr"))]
pub(crate) fn decode_image(py: Python<'_>, image: &Bound<'_, PyAny>, color: &str) -> PyResult<Frame> {
    let inner = Picture::of(image, color)?.with(py, |frame| Ok(frame.view().into_owned()))?;
    Ok(Frame { inner })
}

/// The frame's own capture time, or now.
pub(crate) fn captured_or_now(frame: &CoreFrame<'_>) -> Timestamp {
    frame.captured_at().unwrap_or_else(Timestamp::now)
}
