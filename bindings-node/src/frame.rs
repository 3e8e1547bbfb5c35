//! Pictures as JavaScript hands them over: encoded, as text, or as pixels.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{Analysis, AnalyzeOptions, Engine};
use faceattend_core::frame::{ChannelOrder, Frame as CoreFrame};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use napi::bindgen_prelude::{Either, Either3, Uint8Array, Uint8ClampedArray};
use napi_derive::napi;

use crate::error::invalid;
use crate::time::{self, Date};

/// The order of the bytes of a pixel. `rgba` is what a canvas gives; its fourth byte is ignored.
#[napi(string_enum = "lowercase")]
#[derive(PartialEq, Eq)]
pub enum PixelFormat {
    Rgb,
    Bgr,
    Rgba,
}

/// A picture as pixels: `height` rows of `width` pixels without gaps, three bytes a pixel (four for `rgba`).
#[napi(object)]
pub struct Frame {
    /// `width * height * 3` bytes (`* 4` for `rgba`), copied before the call returns.
    pub data: Either<Uint8Array, Uint8ClampedArray>,
    /// In pixels, at least 1.
    pub width: f64,
    /// In pixels, at least 1.
    pub height: f64,
    /// Default `rgb`.
    pub format: Option<PixelFormat>,
    /// When it was captured. Liveness sessions refuse frames from before their beginning.
    pub captured_at: Option<Date>,
}

/// `ImageInput` of the types.
pub(crate) type ImageInput = Either3<Uint8Array, String, Frame>;

/// A picture taken out of JavaScript's hands. Its bytes are a copy: nothing that JavaScript does to its buffer while
/// the call runs (write into it, transfer it to a worker) can reach them.
pub(crate) enum Picture {
    Encoded(Vec<u8>),
    Text(String),
    Pixels(CoreFrame<'static>),
}

impl Picture {
    pub(crate) fn take(input: ImageInput) -> Result<Self> {
        Ok(match input {
            Either3::A(bytes) => Self::Encoded(bytes.to_vec()),
            Either3::B(text) => Self::Text(text),
            Either3::C(frame) => Self::Pixels(pixels(&frame)?),
        })
    }

    /// The frame. Decoding takes milliseconds: call it in a job.
    pub(crate) fn into_frame(self) -> Result<CoreFrame<'static>> {
        match self {
            Self::Encoded(bytes) => decode(&bytes, &DecodeLimits::default()),
            Self::Text(text) => decode(&bytes_of(&text)?, &DecodeLimits::default()),
            Self::Pixels(frame) => Ok(frame),
        }
    }

    /// Returns the faces. What is encoded is decoded no further than `options` need. Call it in a job.
    pub(crate) fn analyze(self, engine: &Engine, options: &AnalyzeOptions) -> Result<Analysis> {
        let limits = DecodeLimits::default();
        match self {
            Self::Encoded(bytes) => engine.analyze_encoded(&bytes, &limits, options),
            Self::Text(text) => engine.analyze_encoded(&bytes_of(&text)?, &limits, options),
            Self::Pixels(frame) => engine.analyze(&frame, options),
        }
    }
}

fn pixels(frame: &Frame) -> Result<CoreFrame<'static>> {
    let data: &[u8] = match &frame.data {
        Either::A(bytes) => bytes,
        Either::B(bytes) => bytes,
    };
    let (width, height) = (side(frame.width)?, side(frame.height)?);
    let order = match frame.format {
        None | Some(PixelFormat::Rgb | PixelFormat::Rgba) => ChannelOrder::Rgb,
        Some(PixelFormat::Bgr) => ChannelOrder::Bgr,
    };
    let limit = DecodeLimits::default().max_pixels;
    if u64::from(width) * u64::from(height) > limit {
        return Err(Error::InvalidImage { reason: format!("{width}x{height} is more than {limit} pixels") });
    }
    let pixels = if frame.format == Some(PixelFormat::Rgba) {
        let (pixels, rest) = data.as_chunks::<4>();
        if !rest.is_empty() {
            let reason = format!("{} bytes are no whole number of RGBA pixels", data.len());
            return Err(Error::InvalidImage { reason });
        }
        pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect()
    } else {
        data.to_vec()
    };
    let made = CoreFrame::new(pixels, width, height, order)?;
    Ok(match captured_at(frame.captured_at)? {
        Some(at) => made.with_captured_at(at),
        None => made,
    })
}

pub(crate) fn captured_at(date: Option<Date>) -> Result<Option<Timestamp>> {
    date.map(time::moment).transpose()
}

fn side(value: f64) -> Result<u32> {
    if value.fract() == 0.0 && (1.0..=65_535.0).contains(&value) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        return Ok(value as u32);
    }
    Err(invalid("frame", format!("a side of {value} is no whole number of pixels from 1 to 65535")))
}

/// The bytes behind base64, with or without a data URI's prefix and line breaks.
fn bytes_of(text: &str) -> Result<Vec<u8>> {
    let encoded = match text.strip_prefix("data:") {
        Some(uri) => match uri.split_once(";base64,") {
            Some((_, encoded)) => encoded,
            None => return Err(Error::InvalidImage { reason: "a data URI without base64".into() }),
        },
        None => text,
    };
    let clean: Vec<u8> = encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match STANDARD.decode(clean) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(Error::InvalidImage { reason: "the text is no base64".into() }),
    }
}
