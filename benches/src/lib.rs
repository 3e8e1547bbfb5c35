//! What the benchmarks share: pictures made of the sample media, and people for a gallery.

mod process;

use std::io::Cursor;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::embedding::{Calibration, Embedding};
use faceattend_core::engine::{Antispoof, Embedder, Engine, EngineBuilder};
use faceattend_core::frame::Frame;
use faceattend_core::internals::ModelSession;
use faceattend_core::models::{ModelSource, RuntimeOptions};
use faceattend_core::types::{ModelId, StudentId};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, replace, resize};
use image::{Rgb, RgbImage};

pub use process::{Outcome, Process, Server, exit_code, memory_kib, processor_time, write_figures};

/// The quality of the pictures' JPEG, in percent: a webcam's.
const JPEG_QUALITY: u8 = 90;

fn still(name: &str) -> RgbImage {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/media").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| fail(&format!("{}: {e}", path.display())));
    // With the library's own decoder: the one of `image` cannot read the stills, whose components lie in separate
    // scans.
    let frame = frame(&bytes);
    RgbImage::from_raw(frame.width(), frame.height(), frame.pixels().to_vec()).unwrap_or_else(|| fail("no RGB"))
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .encode_image(picture)
        .unwrap_or_else(|e| fail(&format!("encoding a picture: {e}")));
    bytes.into_inner()
}

#[expect(clippy::panic, reason = "a benchmark without its picture cannot go on")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

/// A webcam's picture as JPEG: 1280 x 720, one person in the middle.
#[must_use]
pub fn one_face_720p() -> Vec<u8> {
    portrait_720p("obama/center.jpg")
}

/// Such pictures of three people who look straight ahead, to the left and to the right, with their names.
#[must_use]
pub fn portraits_720p() -> Vec<(String, Vec<u8>)> {
    let views = ["center.jpg", "left.jpg", "right.jpg"];
    let people = ["collins", "hopper", "obama"];
    let pictures = views.iter().flat_map(|view| people.iter().map(move |person| (person, view)));
    pictures.map(|(person, view)| ((*person).to_owned(), portrait_720p(&format!("{person}/{view}")))).collect()
}

fn portrait_720p(name: &str) -> Vec<u8> {
    let person = resize(&still(name), 960, 720, FilterType::Triangle);
    let mut picture = RgbImage::from_pixel(1280, 720, Rgb([96, 100, 104]));
    replace(&mut picture, &person, 160, 0);
    jpeg(&picture)
}

/// A group as JPEG: 1440 x 720, three people twice, 480 x 360 each.
#[must_use]
pub fn six_faces() -> Vec<u8> {
    let mut picture = RgbImage::new(1440, 720);
    for (row, name) in ["center.jpg", "left.jpg"].into_iter().enumerate() {
        for (column, person) in ["collins", "hopper", "obama"].into_iter().enumerate() {
            let (x, y) = (480 * column, 360 * row);
            replace(&mut picture, &still(&format!("{person}/{name}")), x.cast_signed() as i64, y.cast_signed() as i64);
        }
    }
    jpeg(&picture)
}

/// `bytes` as a frame.
#[must_use]
pub fn frame(bytes: &[u8]) -> Frame<'static> {
    decode(bytes, &DecodeLimits::default()).unwrap_or_else(|e| fail(&e.to_string()))
}

/// A builder of an engine for one thread, without the passive check, which the default pack does not have.
#[must_use]
pub fn builder() -> EngineBuilder {
    Engine::builder().with_threads(NonZero::<usize>::MIN).with_antispoof(Antispoof::Off)
}

/// The default pack's engine for one thread.
#[must_use]
pub fn engine() -> Engine {
    builder().build().unwrap_or_else(|e| fail(&e.to_string()))
}

/// A model of the default pack, for one thread.
#[must_use]
pub fn model(name: &str) -> ModelSession {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/default").join(name);
    ModelSession::load(&ModelSource::File(path), &RuntimeOptions::default()).unwrap_or_else(|e| fail(&e.to_string()))
}

/// Writes values for another program: little-endian, one after the other.
///
/// # Errors
/// When the file cannot be written.
pub fn write_values(path: &Path, values: &[f32]) -> std::io::Result<()> {
    std::fs::write(path, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

/// How many people are drawn at random; all others are mixtures of two of them, so that another program makes the same
/// million from a small file.
pub const DRAWN: usize = 10_000;

/// How many rows a stranger is mixed of.
const MIXED: usize = 32;

/// A crowd of strangers: any number of unit vectors, always the same.
pub struct Crowd {
    dimension: usize,
    drawn: Vec<f32>,
}

impl Crowd {
    /// A crowd whose embeddings have `dimension` values.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        // splitmix64: any generator will do, as long as it is the same everywhere.
        let mut state = 0u64;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            #[expect(clippy::cast_precision_loss, reason = "24 bits")]
            let unit = ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32;
            unit - 0.5
        };
        let drawn = std::iter::repeat_with(&mut next).take(DRAWN * dimension).collect();
        Self { dimension, drawn }
    }

    /// The values that were drawn, [`DRAWN`] rows of them.
    #[must_use]
    pub fn drawn(&self) -> &[f32] {
        &self.drawn
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.drawn[i % DRAWN * self.dimension..][..self.dimension]
    }

    /// The embedding of person `i`: the row at i, and half of that at 7i + i / [`DRAWN`] (all modulo it).
    #[must_use]
    pub fn person(&self, i: usize) -> Embedding {
        self.mixture(i, 7 * i + i / DRAWN, 0.5)
    }

    /// Another view of person `i`: as far from the first as two pictures of one person are, at a cosine of about 0.7.
    #[must_use]
    pub fn view(&self, i: usize) -> Embedding {
        let (person, noise) = (self.person(i), self.stranger(i));
        let raw: Vec<f32> = person.values().iter().zip(noise.values()).map(|(a, b)| a + b).collect();
        Embedding::from_raw(self.embedder().model, &raw).unwrap_or_else(|e| fail(&e.to_string()))
    }

    /// A face that resembles nobody of the crowd: a mixture of many.
    #[must_use]
    pub fn stranger(&self, i: usize) -> Embedding {
        let mut raw = vec![0.0; self.dimension];
        for part in 0..MIXED {
            for (sum, value) in raw.iter_mut().zip(self.row(31 * i + 17 + 613 * part)) {
                *sum += value;
            }
        }
        Embedding::from_raw(self.embedder().model, &raw).unwrap_or_else(|e| fail(&e.to_string()))
    }

    /// A face that resembles person 123.
    #[must_use]
    pub fn probe(&self) -> Embedding {
        self.mixture(123, 77, 0.3)
    }

    fn mixture(&self, a: usize, b: usize, share: f32) -> Embedding {
        let raw: Vec<f32> = self.row(a).iter().zip(self.row(b)).map(|(a, b)| a + share * b).collect();
        Embedding::from_raw(self.embedder().model, &raw).unwrap_or_else(|e| fail(&e.to_string()))
    }

    /// What would make such embeddings.
    #[must_use]
    pub fn embedder(&self) -> Embedder {
        Embedder::new(ModelId::new("crowd"), self.dimension, Calibration::arcface())
    }

    /// The first `count` people with one template each.
    pub fn people(&self, count: usize) -> impl Iterator<Item = (StudentId, Vec<Embedding>)> + '_ {
        self.people_at(0..count)
    }

    /// The people of a range with one template each.
    pub fn people_at(&self, range: Range<usize>) -> impl Iterator<Item = (StudentId, Vec<Embedding>)> + '_ {
        range.map(|i| (StudentId(i.cast_signed() as i64), vec![self.person(i)]))
    }
}
