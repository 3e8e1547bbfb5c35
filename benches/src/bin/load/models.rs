//! The models in this process: who is enrolled, and how many pictures a second they alone would allow.

use std::num::NonZero;
use std::time::{Duration, Instant};

use faceattend_benches::frame;
use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine};
use faceattend_core::internals::time_in_models;

use crate::client::Picture;
use crate::{Arguments, Outcome};

/// Somebody whom both services know.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) embedding: Embedding,
}

/// The engine of the service that has everything equal.
pub(crate) fn engine(arguments: &Arguments, threads: NonZero<usize>) -> Outcome<Engine> {
    Ok(Engine::builder()
        .with_detector_file(&arguments.detector, None)
        .with_embedder_file(&arguments.embedder, None)
        .with_antispoof(Antispoof::Off)
        .with_detect_options(DetectOptions::default().with_input_size(InputSize::Fixed(640)))
        .with_threads(threads)
        .build()?)
}

/// Everybody in the pictures, by the first picture that shows each.
pub(crate) fn people(engine: &Engine, pictures: &[Picture]) -> Outcome<Vec<Person>> {
    let mut people: Vec<Person> = Vec::new();
    for picture in pictures {
        if people.iter().any(|person| person.name == picture.name) {
            continue;
        }
        let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
        let face = engine.analyze(&frame(&picture.jpeg), &options)?.faces.into_iter().next();
        let embedding = face.and_then(|face| face.embedding).ok_or_else(|| format!("no face of {}", picture.name))?;
        people.push(Person { name: picture.name.clone(), embedding });
    }
    Ok(people)
}

/// Pictures a second if there were nothing to do beside running the models, on `threads` threads at once.
pub(crate) fn allowed(engine: &Engine, pictures: &[Picture], threads: NonZero<usize>, lasts: Duration) -> Outcome<f64> {
    let frames: Vec<_> = pictures.iter().map(|picture| frame(&picture.jpeg)).collect();
    let until = Instant::now() + lasts;
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
    let work = || -> faceattend_core::Result<f64> {
        let (before, mut analyzed) = (time_in_models(), 0_u32);
        for frame in frames.iter().cycle() {
            engine.analyze(frame, &options)?;
            analyzed += 1;
            if Instant::now() >= until {
                break;
            }
        }
        Ok(f64::from(analyzed) / (time_in_models() - before).as_secs_f64())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        let mut total = 0.0;
        for worker in workers {
            total += worker.join().map_err(|_| "a thread panicked")??;
        }
        Ok(total)
    })
}
