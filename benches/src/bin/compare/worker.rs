//! Our side: does what it is told on its standard input, a line of JSON each, and answers with a line of JSON. The
//! Python side (`benches/python/reference.py`) speaks the same language.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceattend_benches::{Crowd, Outcome, builder, frame, memory_kib};
use faceattend_core::alignment::Template;
use faceattend_core::decode::DecodeLimits;
use faceattend_core::embedding::Embedding;
use faceattend_core::embedding::Normalization;
use faceattend_core::engine::{AnalyzeOptions, Depth, Engine, Face};
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::gallery::Gallery;
use faceattend_core::geometry::{Landmarks5, Point};
use faceattend_core::internals::warp;
use faceattend_core::internals::{ModelSession, time_in_models};
use faceattend_core::models::{ModelSource, RuntimeOptions};
use serde_json::{Value, json};

use crate::plan::{BATCH, Models, SEARCH_K, Task};

/// Serves until its input ends. Before the first request it says which faces it found in the one-face picture.
pub(crate) fn serve(folder: &Path, models: &Models) -> Outcome<()> {
    let mut worker = Worker::new(folder, models)?;
    let first = worker.analyze(&worker.one.view(), Depth::Embedding)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({ "faces": describe(&first) }))?;
    for line in std::io::stdin().lock().lines() {
        let answer = worker.answer(serde_json::from_str(&line?)?)?;
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

struct Worker {
    engine: Engine,
    folder: std::path::PathBuf,
    embedder: Models,
    one: Frame<'static>,
    crowd: Option<(Crowd, HashMap<usize, Gallery>)>,
    /// What is read to tell how fast memory is.
    memory: Vec<f32>,
}

/// A plain read need not be longer than this to be one of memory and not of a cache.
const READ_LIMIT: usize = 256 << 20;

impl Worker {
    fn new(folder: &Path, models: &Models) -> Outcome<Self> {
        let mut builder = builder();
        if let Some(path) = &models.detector {
            builder = builder.with_detector_file(path, None);
        }
        if let Some(path) = &models.embedder {
            builder = builder.with_embedder_file(path, None);
        }
        Ok(Self {
            engine: builder.build()?,
            one: frame(&std::fs::read(folder.join("one.jpg"))?),
            folder: folder.to_owned(),
            embedder: models.clone(),
            crowd: None,
            memory: Vec::new(),
        })
    }

    fn analyze(&self, frame: &Frame<'_>, depth: Depth) -> Outcome<Vec<Face>> {
        Ok(self.engine.analyze(frame, &AnalyzeOptions::default().with_depth(depth))?.faces)
    }

    fn answer(&mut self, task: Task) -> Outcome<Value> {
        match task {
            Task::One { repeat } => self.pictures(&self.one.view(), repeat),
            Task::Six { repeat } => {
                let six = frame(&std::fs::read(self.folder.join("six.jpg"))?);
                self.pictures(&six, repeat)
            }
            Task::Base64 { repeat } => {
                let text = STANDARD.encode(std::fs::read(self.folder.join("one.jpg"))?);
                let (ms, faces) = timed(repeat, || {
                    let bytes = STANDARD.decode(&text)?;
                    let options = AnalyzeOptions::default().with_depth(Depth::Detection);
                    Ok(self.engine.analyze_encoded(&bytes, &DecodeLimits::default(), &options)?.faces)
                })?;
                Ok(json!({ "ms": ms, "faces": describe(&faces) }))
            }
            Task::Batch { repeat } => self.batch(repeat),
            Task::Search { rows, repeat } => self.search(rows, repeat),
            Task::Read { bytes, repeat } => {
                self.memory.resize(bytes.min(READ_LIMIT) / size_of::<f32>(), 1.0);
                let (ms, _) = timed(repeat, || Ok(black_box(sum(black_box(&self.memory)))))?;
                Ok(json!({ "ms": ms, "bytes": self.memory.len() * size_of::<f32>() }))
            }
            Task::Peak => Ok(json!({ "peak_kib": memory_kib(std::process::id(), "VmHWM") })),
        }
    }

    fn pictures(&self, picture: &Frame<'_>, repeat: usize) -> Outcome<Value> {
        let mut model_ms = Vec::with_capacity(repeat);
        let (ms, faces) = timed(repeat, || {
            let before = time_in_models();
            let faces = self.analyze(picture, Depth::Embedding)?;
            model_ms.push((time_in_models() - before).as_secs_f64() * 1e3);
            Ok(faces)
        })?;
        // The first one is the warm-up.
        Ok(json!({ "ms": ms, "model_ms": model_ms.split_off(1), "faces": describe(&faces) }))
    }

    /// Aligns and embeds the face [`BATCH`] times, a pixel further each time, in one run of the model.
    fn batch(&self, repeat: usize) -> Outcome<Value> {
        let face = self.analyze(&self.one, Depth::Embedding)?.into_iter().next().ok_or("no face")?;
        let points = face.landmarks.ok_or("no points")?;
        let views: [Landmarks5; BATCH] = std::array::from_fn(|i| points.map(|p| Point::new(p.x + i as f32, p.y)));
        let template = Template::arcface112();
        let normalize = if self.embedder.embedder.is_some() {
            Normalization::uniform(ChannelOrder::Rgb, 127.5, 127.5)
        } else {
            Normalization::uniform(ChannelOrder::Rgb, 0.0, 1.0)
        };
        let path = self.embedder.embedder_file();
        let mut session = ModelSession::load(&ModelSource::File(path), &RuntimeOptions::default())?;
        let plane = 3 * template.size * template.size;
        let per_run = if session.input().shape[0] > 0 { 1 } else { BATCH };
        let mut input = vec![0.0; BATCH * plane];
        let (ms, first) = timed(repeat, || {
            for (view, crop) in views.iter().zip(input.chunks_exact_mut(plane)) {
                let map = template.align(view).and_then(|map| map.inverse()).ok_or("no alignment")?;
                warp(&self.one, &map, template.size, &normalize, crop);
            }
            let mut embeddings = Vec::with_capacity(BATCH);
            for crops in input.chunks_exact(per_run * plane) {
                session.run([per_run, 3, template.size, template.size], crops, |outputs| {
                    let (_, values) = outputs.at(0)?;
                    for raw in values.chunks_exact(values.len() / per_run) {
                        embeddings.push(Embedding::from_raw(self.engine.embedder().model.clone(), raw)?);
                    }
                    Ok(())
                })?;
            }
            Ok(embeddings.swap_remove(0))
        })?;
        Ok(json!({ "ms": ms, "faces": [{ "box": bounds(&face), "embedding": first.values() }] }))
    }

    fn search(&mut self, rows: usize, repeat: usize) -> Outcome<Value> {
        let (crowd, galleries) = self.crowd.get_or_insert_with(|| (Crowd::new(crate::plan::DIMENSION), HashMap::new()));
        if !galleries.contains_key(&rows) {
            // One at a time: the largest takes two gigabytes.
            galleries.clear();
            let gallery = Gallery::new(crowd.embedder());
            gallery.load(crowd.people(rows))?;
            galleries.insert(rows, gallery);
        }
        let gallery = galleries.get(&rows).ok_or("no gallery")?;
        let probe = crowd.probe();
        let (ms, matches) = timed(repeat, || Ok(gallery.search(&probe, SEARCH_K)?))?;
        let matches: Vec<_> = matches.iter().map(|m| json!([m.student.0, m.cosine.0])).collect();
        Ok(json!({ "ms": ms, "matches": matches }))
    }
}

/// The milliseconds of each of `repeat` calls after one that warms up, and the last result.
fn timed<R>(repeat: usize, mut call: impl FnMut() -> Outcome<R>) -> Outcome<(Vec<f64>, R)> {
    let mut last = call()?;
    let mut ms = Vec::with_capacity(repeat);
    for _ in 0..repeat {
        let started = Instant::now();
        last = call()?;
        ms.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok((ms, last))
}

fn bounds(face: &Face) -> [f32; 4] {
    [face.bbox.x1, face.bbox.y1, face.bbox.x2, face.bbox.y2]
}

fn describe(faces: &[Face]) -> Vec<Value> {
    let embedding = |face: &Face| face.embedding.as_ref().map(|e| e.values().to_vec());
    faces.iter().map(|face| json!({ "box": bounds(face), "embedding": embedding(face) })).collect()
}

/// The sum of `values`, read as wide as the processor reads.
fn sum(values: &[f32]) -> f32 {
    struct Sum<'a>(&'a [f32]);
    impl pulp::WithSimd for Sum<'_> {
        type Output = f32;

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, simd: S) -> f32 {
            let (values, rest) = S::as_simd_f32s(self.0);
            let (groups, more) = values.as_chunks::<8>();
            let mut sums = [simd.splat_f32s(0.0); 8];
            for group in groups {
                for (sum, value) in sums.iter_mut().zip(group) {
                    *sum = simd.add_f32s(*sum, *value);
                }
            }
            let total =
                sums.into_iter().chain(more.iter().copied()).fold(simd.splat_f32s(0.0), |a, b| simd.add_f32s(a, b));
            simd.reduce_sum_f32s(total) + rest.iter().sum::<f32>()
        }
    }
    pulp::Arch::new().dispatch(Sum(values))
}
