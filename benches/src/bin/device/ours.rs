//! Our side: an engine whose models run on the device, and a gallery in memory.

use std::num::NonZero;
use std::time::Instant;

use faceattend_benches::{Crowd, frame, one_face_720p};
use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine, Face};
use faceattend_core::frame::Frame;
use faceattend_core::gallery::Gallery;
use faceattend_core::geometry::Rect;
use faceattend_core::internals::ModelSession;
use faceattend_core::models::{ModelSource, RuntimeOptions};

use crate::{Arguments, BATCHES, DIMENSION, Outcome, SEARCH_K};

pub(crate) struct Ours {
    engine: Engine,
    embedder: ModelSession,
    /// Crops of the largest batch.
    crops: Vec<f32>,
    side: usize,
    picture: Frame<'static>,
    threads: usize,
    pub(crate) crowd: Crowd,
    gallery: Gallery,
}

/// The overlap (IoU) of boxes that show the same face.
const SAME_FACE: f32 = 0.8;

impl Ours {
    pub(crate) fn new(arguments: &Arguments, threads: NonZero<usize>) -> Outcome<Self> {
        let provider = arguments.device.provider();
        let engine = Engine::builder()
            .with_detector_file(&arguments.detector, None)
            .with_embedder_file(&arguments.embedder, None)
            .with_antispoof(Antispoof::Off)
            .with_detect_options(DetectOptions::default().with_input_size(InputSize::Fixed(640)))
            .with_provider(provider)
            .with_threads(threads)
            .build()?;
        let runtime = RuntimeOptions { provider, ..RuntimeOptions::default() };
        let embedder = ModelSession::load(&ModelSource::File(arguments.embedder.clone()), &runtime)?;
        let side = usize::try_from(embedder.input().shape[2])?;
        let largest = BATCHES.into_iter().max().unwrap_or(1);
        let crowd = Crowd::new(DIMENSION);
        Ok(Self {
            engine,
            crops: vec![0.25; largest * 3 * side * side],
            side,
            embedder,
            picture: frame(&one_face_720p()),
            threads: threads.get(),
            gallery: Gallery::new(crowd.embedder()),
            crowd,
        })
    }

    fn faces(&self) -> faceattend_core::Result<Vec<Face>> {
        let options = AnalyzeOptions::default().with_depth(Depth::Detection);
        Ok(self.engine.analyze(&self.picture, &options)?.faces)
    }

    /// Fails unless both sides see the same faces.
    pub(crate) fn agrees_with(&self, boxes: &[[f32; 4]]) -> Outcome<()> {
        let faces = self.faces()?;
        let same = |face: &Face| boxes.iter().any(|[a, b, c, d]| face.bbox.iou(&Rect::new(*a, *b, *c, *d)) > SAME_FACE);
        if faces.is_empty() || faces.len() != boxes.len() || !faces.iter().all(same) {
            return Err(format!("the faces differ: {faces:?} and {boxes:?}").into());
        }
        Ok(())
    }

    /// The milliseconds to find the faces of `batch` pictures, on all threads.
    pub(crate) fn detect(&self, batch: usize) -> Outcome<f64> {
        let started = Instant::now();
        let workers = self.threads.min(batch);
        std::thread::scope(|scope| -> Outcome<()> {
            let share = |worker: usize| batch / workers + usize::from(worker < batch % workers);
            let running: Vec<_> = (0..workers)
                .map(|worker| scope.spawn(move || (0..share(worker)).try_for_each(|_| self.faces().map(drop))))
                .collect();
            for one in running {
                one.join().map_err(|_| "a thread panicked")??;
            }
            Ok(())
        })?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    }

    /// The milliseconds of one run of the embedder over `batch` crops.
    pub(crate) fn embed(&mut self, batch: usize) -> Outcome<f64> {
        let crops = &self.crops[..batch * 3 * self.side * self.side];
        let started = Instant::now();
        let values =
            self.embedder.run([batch, 3, self.side, self.side], crops, |outputs| Ok(outputs.at(0)?.1.len()))?;
        let took = started.elapsed().as_secs_f64() * 1e3;
        if values < batch {
            return Err(format!("{values} values for {batch} crops").into());
        }
        Ok(took)
    }

    /// Puts so many people into the gallery.
    pub(crate) fn enrol(&self, people: usize) -> Outcome<()> {
        self.gallery.load(self.crowd.people(people))?;
        Ok(())
    }

    /// Fails unless the search answers with these people.
    pub(crate) fn finds(&self, people: &[i64]) -> Outcome<()> {
        let found = self.gallery.search(&self.crowd.probe(), SEARCH_K)?;
        let found: Vec<i64> = found.iter().map(|hit| hit.student.0).collect();
        if found != people {
            return Err(format!("the searches differ: {found:?} and {people:?}").into());
        }
        Ok(())
    }

    /// The milliseconds of one search.
    pub(crate) fn search(&self) -> Outcome<f64> {
        let probe = self.crowd.probe();
        let started = Instant::now();
        self.gallery.search(&probe, SEARCH_K)?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    }
}
