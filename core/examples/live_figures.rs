//! What live recognition costs and finds: thrifty against every frame in full, on the same pictures and the same
//! models.
//!
//! ```text
//! cargo run --release -p faceattend-core --example live_figures -- corridor   # people walk through a 720p corridor
//! cargo run --release -p faceattend-core --example live_figures -- clip examples/media/class.avi
//! ```
//!
//! Options: `--scrfd FILE --arcface FILE` for other models than the default pack, `--seconds N`, `--fps N`, `--gate
//! off|observe|require`: default observe, since the people of both are photographs. Nobody is marked here, so that a
//! known face is watched for as long as the gate waits. `--stages` tells what each kind of look costs, `--thrifty`
//! leaves out the runs in full and every scene but the busy one. The corridor's people are photographs of a folder of
//! folders (`--people DIR`, one folder a person, at least four pictures each): the first three pictures enrol every
//! other person, the others walk by. CPU seconds are the
//! process's own, read from the kernel, so other work on the machine does not count. One thread.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use faceattend_core::camera::{CameraSource, FrameSource, OpenOptions, open};
use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::embedding::Embedding;
use faceattend_core::engine::{
    Analysis, AnalyzeOptions, Antispoof, Depth, Embedder, Engine, Face, FaceEngine, Selection,
};
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::gallery::Gallery;
use faceattend_core::gate::{GateOptions, GatePolicy};
use faceattend_core::recognition::{Effort, RecognitionOptions, Recognizer};
use faceattend_core::types::StudentId;
use jiff::{SignedDuration, Timestamp};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

struct Options {
    what: String,
    clip: Option<PathBuf>,
    scrfd: Option<PathBuf>,
    arcface: Option<PathBuf>,
    people: PathBuf,
    seconds: u32,
    fps: u32,
    gate: GatePolicy,
    stages: bool,
    thrifty: bool,
}

fn main() -> Outcome {
    let options = read_options()?;
    let mut builder = Engine::builder().with_antispoof(Antispoof::Off).with_threads(std::num::NonZero::<usize>::MIN);
    if let Some(file) = &options.scrfd {
        builder = builder.with_detector_file(file, None);
    }
    if let Some(file) = &options.arcface {
        builder = builder.with_embedder_file(file, None);
    }
    let engine: Arc<dyn FaceEngine> = match options.stages {
        true => Arc::new(Stages { engine: builder.build()?, spent: Mutex::default() }),
        false => Arc::new(builder.build()?),
    };
    match options.what.as_str() {
        "corridor" => corridor(&engine, &options),
        "clip" => clip(&engine, &options),
        other => Err(format!("{other} is neither corridor nor clip").into()),
    }
}

fn read_options() -> Outcome<Options> {
    let mut args = std::env::args().skip(1);
    let what = args.next().ok_or("corridor or clip?")?;
    let mut options = Options {
        what,
        clip: None,
        scrfd: None,
        arcface: None,
        people: PathBuf::from("../shared/media/faces/lfw_dev"),
        seconds: 60,
        fps: 25,
        gate: GatePolicy::Observe,
        stages: false,
        thrifty: false,
    };
    while let Some(name) = args.next() {
        let switch = match name.as_str() {
            "--stages" => Some(&mut options.stages),
            "--thrifty" => Some(&mut options.thrifty),
            _ => None,
        };
        if let Some(switch) = switch {
            *switch = true;
            continue;
        }
        let mut value = || args.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--scrfd" => options.scrfd = Some(value()?.into()),
            "--arcface" => options.arcface = Some(value()?.into()),
            "--people" => options.people = value()?.into(),
            "--seconds" => options.seconds = value()?.parse()?,
            "--fps" => options.fps = value()?.parse()?,
            "--gate" => options.gate = value()?.parse()?,
            path => options.clip = Some(path.into()),
        }
    }
    Ok(options)
}

/// An engine that tells what it was asked for and how long that took.
struct Stages {
    engine: Engine,
    /// Calls, and processor seconds.
    spent: Mutex<BTreeMap<String, (u32, f64)>>,
}

impl Stages {
    fn timed<R>(&self, what: String, call: impl FnOnce() -> R) -> R {
        let before = cpu_seconds();
        let result = call();
        let took = cpu_seconds() - before;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let (calls, seconds) = spent.entry(what).or_default();
        (*calls, *seconds) = (*calls + 1, *seconds + took);
        result
    }
}

impl FaceEngine for Stages {
    fn analyze(&self, frame: &Frame<'_>, options: &AnalyzeOptions) -> faceattend_core::Result<Analysis> {
        let place = if options.region.is_some() { "region" } else { "picture" };
        let what = format!("{:?} of a {place}, input {:?}", options.depth, options.input_size);
        self.timed(what, || self.engine.analyze(frame, options))
    }

    fn deepen(&self, frame: &Frame<'_>, faces: &mut Vec<Face>, depth: Depth) -> faceattend_core::Result<()> {
        self.timed(format!("deepened to {depth:?}"), || self.engine.deepen(frame, faces, depth))
    }

    fn embedder(&self) -> &Embedder {
        self.engine.embedder()
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        println!();
        for (what, (calls, seconds)) in self.spent.get_mut().unwrap_or_else(PoisonError::into_inner) {
            println!("{calls:6} x {what:60} {seconds:7.2} s, {:6.2} ms each", *seconds / f64::from(*calls) * 1e3);
        }
    }
}

/// What a run found and cost.
#[derive(Default)]
struct Run {
    /// When each student was first known, in seconds of the recording.
    known: BTreeMap<i64, f64>,
    /// Seconds spent on the picture that made the student known.
    took: BTreeMap<i64, f64>,
    pictures: u32,
    quiet: u32,
    embedded: usize,
    cpu: f64,
    /// Of it, for making the pictures: decoding or rendering.
    cpu_pictures: f64,
    seconds: f64,
}

impl Run {
    fn cost_a_minute(&self) -> f64 {
        (self.cpu - self.cpu_pictures) / self.seconds * 60.0
    }

    fn told(&self, name: &str) {
        println!(
            "{name:34} {:5} pictures, {:5} quiet, {:5} embeddings, {:7.2} CPU s a camera-minute ({:.2} ms a picture), \
             pictures themselves {:.2}",
            self.pictures,
            self.quiet,
            self.embedded,
            self.cost_a_minute(),
            (self.cpu - self.cpu_pictures) / f64::from(self.pictures.max(1)) * 1000.0,
            self.cpu_pictures / self.seconds * 60.0,
        );
    }
}

/// The CPU seconds of this process so far.
fn cpu_seconds() -> f64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/schedstat") else { return 0.0 };
    // The main thread alone works here: one thread analyses, and it is this one.
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// Plays `source` through a recognizer that looks at `rate` pictures a second, all of them without one.
fn play(
    source: &mut dyn FrameSource,
    engine: &Arc<dyn FaceEngine>,
    gallery: &Arc<Gallery>,
    effort: Effort,
    rate: Option<f64>,
    fps: f64,
    gate: GatePolicy,
) -> Outcome<Run> {
    let options = RecognitionOptions::default().with_effort(effort).with_gate(GateOptions::of(gate));
    let mut recognizer = Recognizer::new(engine.clone(), gallery.clone(), &options);
    let mut run = Run::default();
    let (began, mut first, mut frame_at, mut due) = (cpu_seconds(), None, 0_u32, 0.0);
    loop {
        let at = f64::from(frame_at) / fps;
        frame_at += 1;
        let before = cpu_seconds();
        if rate.is_some() && at + 1e-9 < due {
            if !source.skip()? {
                break;
            }
            run.cpu_pictures += cpu_seconds() - before;
            continue;
        }
        let Some(frame) = source.next_frame()? else { break };
        run.cpu_pictures += cpu_seconds() - before;
        let now = frame.captured_at().unwrap_or(Timestamp::UNIX_EPOCH);
        let start = *first.get_or_insert(now);
        let since = Instant::now();
        let report = recognizer.process(&frame, now)?;
        let took = since.elapsed().as_secs_f64();
        // As a camera's worker does with twice the rate for close attention.
        let closer = if report.open && effort == Effort::Thrifty { 2.0 } else { 1.0 };
        due = at + rate.map_or(0.0, |rate| 1.0 / (rate * closer));
        run.pictures += 1;
        run.quiet += u32::from(report.looks == 0);
        run.embedded += report.embedded;
        for student in report.faces.iter().filter_map(faceattend_core::recognition::RecognizedFace::student) {
            run.known.entry(student.0).or_insert(now.duration_since(start).as_secs_f64());
            run.took.entry(student.0).or_insert(took);
        }
    }
    run.cpu = cpu_seconds() - began;
    run.seconds = f64::from(frame_at - 1) / fps;
    Ok(run)
}

fn face_of(engine: &Arc<dyn FaceEngine>, frame: &Frame<'_>) -> Option<Embedding> {
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding).with_selection(Selection::MostCentral);
    engine.analyze(frame, &options).ok()?.faces.into_iter().next()?.embedding
}

fn picture(path: &Path) -> Outcome<Frame<'static>> {
    Ok(decode(&std::fs::read(path)?, &DecodeLimits::default())?)
}

// A clip, with the people who are in it.

fn clip(engine: &Arc<dyn FaceEngine>, options: &Options) -> Outcome {
    let path = options.clip.clone().ok_or("which clip?")?;
    let start: Timestamp = "2026-03-02T08:00:00Z".parse()?;
    let source = || {
        let source = CameraSource::parse(path.to_str().ok_or("no such name")?)?;
        Ok::<_, Box<dyn Error>>(open(&source, &OpenOptions::default().with_recording_starts_at(start))?)
    };
    let fps = source()?.frame_interval().map_or(25.0, |interval| 1.0 / interval.as_secs_f64());

    // Whoever shows a face in several pictures, one a half second, is a person; every other one of them is enrolled.
    let (mut people, mut at): (Vec<Vec<Embedding>>, usize) = (Vec::new(), 0);
    let mut frames = source()?;
    while let Some(frame) = frames.next_frame()? {
        at += 1;
        if at % (fps / 2.0).max(1.0) as usize != 1 {
            continue;
        }
        for face in engine.analyze(&frame, &AnalyzeOptions::default().with_depth(Depth::Embedding))?.faces {
            let good = face.quality.is_some_and(|quality| quality.reasons.is_empty());
            let Some(embedding) = face.embedding.filter(|_| good) else { continue };
            let alike = |person: &Vec<Embedding>| {
                person.iter().filter_map(|other| other.cosine(&embedding).ok()).map(|c| c.0).fold(-1.0, f32::max)
            };
            let similarity = |person: &Vec<Embedding>| {
                engine.embedder().calibration.similarity(faceattend_core::types::Cosine(alike(person)))
            };
            let best = people.iter_mut().max_by(|a, b| alike(a).total_cmp(&alike(b)));
            match best.filter(|person| similarity(person).value() >= 0.7) {
                Some(person) => person.push(embedding),
                None => people.push(vec![embedding]),
            }
        }
    }
    people.retain(|person| person.len() >= 3);
    let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
    for (n, person) in people.iter().enumerate().step_by(2) {
        gallery.insert(StudentId(n as i64), &person[..person.len().min(5)])?;
    }
    println!(
        "{}: {at} pictures at {fps:.0} a second, {} people, {} enrolled",
        path.display(),
        people.len(),
        gallery.people()
    );

    let full = play(source()?.as_mut(), engine, &gallery, Effort::Everything, None, fps, options.gate)?;
    let sampled = play(source()?.as_mut(), engine, &gallery, Effort::Everything, Some(5.0), fps, options.gate)?;
    let thrifty = play(source()?.as_mut(), engine, &gallery, Effort::Thrifty, Some(5.0), fps, options.gate)?;
    report(&full, &sampled, &thrifty);
    let missed: Vec<_> = full.known.keys().filter(|id| !thrifty.known.contains_key(id)).collect();
    let more: Vec<_> = thrifty.known.keys().filter(|id| !full.known.contains_key(id)).collect();
    println!(
        "marks: every frame {}, thrifty {}; missed {missed:?}, only thrifty {more:?}",
        full.known.len(),
        thrifty.known.len()
    );
    Ok(())
}

fn report(full: &Run, sampled: &Run, thrifty: &Run) {
    full.told("every frame in full");
    sampled.told("five a second in full");
    thrifty.told("five a second, thrifty");
    println!(
        "thrifty costs 1/{:.1} of every frame in full, 1/{:.1} of five a second in full",
        full.cost_a_minute() / thrifty.cost_a_minute(),
        sampled.cost_a_minute() / thrifty.cost_a_minute(),
    );
}

// A corridor, with people who walk through.

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;

/// One person's way through the picture.
struct Walk {
    person: usize,
    /// Seconds.
    begins: f64,
    lasts: f64,
    from: (f64, f64),
    to: (f64, f64),
    pictures: Vec<Arc<Frame<'static>>>,
}

struct Corridor {
    walks: Arc<Vec<Walk>>,
    wall: Arc<Vec<u8>>,
    at: u32,
    frames: u32,
    fps: u32,
    noise: u32,
}

impl FrameSource for Corridor {
    fn next_frame(&mut self) -> faceattend_core::Result<Option<Frame<'static>>> {
        if self.at >= self.frames {
            return Ok(None);
        }
        let second = f64::from(self.at) / f64::from(self.fps);
        let mut pixels = self.wall.as_ref().clone();
        for walk in self.walks.iter().filter(|walk| (walk.begins..walk.begins + walk.lasts).contains(&second)) {
            let part = (second - walk.begins) / walk.lasts;
            let (x, y) = (
                walk.from.0 + (walk.to.0 - walk.from.0) * part,
                // Heads bob.
                walk.from.1 + (walk.to.1 - walk.from.1) * part + 6.0 * (second * 11.0).sin(),
            );
            let shown = &walk.pictures[(part * walk.pictures.len() as f64) as usize % walk.pictures.len()];
            paste(&mut pixels, shown, x as i64, y as i64);
        }
        for byte in pixels.iter_mut().step_by(3) {
            self.noise ^= self.noise << 13;
            self.noise ^= self.noise >> 17;
            self.noise ^= self.noise << 5;
            *byte = byte.saturating_add((self.noise % 6) as u8);
        }
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(i64::from(self.at) * 1000 / i64::from(self.fps));
        self.at += 1;
        Ok(Some(Frame::new(pixels, WIDTH, HEIGHT, ChannelOrder::Rgb)?.with_captured_at(at)))
    }

    fn skip(&mut self) -> faceattend_core::Result<bool> {
        self.at += 1;
        Ok(self.at <= self.frames)
    }

    fn frame_interval(&self) -> Option<std::time::Duration> {
        None
    }
}

fn paste(pixels: &mut [u8], shown: &Frame<'_>, left: i64, top: i64) {
    for y in 0..i64::from(shown.height()) {
        if !(0..i64::from(HEIGHT)).contains(&(top + y)) {
            continue;
        }
        let (from, to) = (left.max(0), (left + i64::from(shown.width())).min(i64::from(WIDTH)));
        if from >= to {
            continue;
        }
        let into = ((top + y) * i64::from(WIDTH) + from) as usize * 3;
        let out = (y * i64::from(shown.width()) + from - left) as usize * 3;
        let length = (to - from) as usize * 3;
        pixels[into..into + length].copy_from_slice(&shown.pixels()[out..out + length]);
    }
}

/// Pseudo-random numbers in [0, 1): the same corridor every time.
fn random(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 40) as f64 / (1_u64 << 24) as f64
}

fn corridor(engine: &Arc<dyn FaceEngine>, options: &Options) -> Outcome {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&options.people)?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
    let mut people = Vec::new();
    for folder in folders {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        if files.len() < 4 {
            continue;
        }
        let person = people.len();
        if person.is_multiple_of(2) {
            let templates: Vec<_> =
                files[..3].iter().filter_map(|file| face_of(engine, &picture(file).ok()?)).collect();
            gallery.insert(StudentId(person as i64), &templates)?;
        }
        let shown: Vec<_> = files[3..].iter().filter_map(|file| Some(Arc::new(picture(file).ok()?))).collect();
        people.push(shown);
    }
    println!("{} people, {} enrolled", people.len(), gallery.people());

    let mut seed = 7;
    for (name, every) in [("busy: somebody new every 1.5 s", 1.5), ("usual: somebody every 8 s", 8.0), ("empty", 1e9)] {
        let mut walks = Vec::new();
        let (mut begins, mut person) = (0.5, 0);
        while begins < f64::from(options.seconds) - 6.0 && person < people.len() {
            let lasts = 3.0 + 3.0 * random(&mut seed);
            let (left, right) = (-250.0, f64::from(WIDTH));
            let lane = 40.0 + 400.0 * random(&mut seed);
            let (from, to) = if random(&mut seed) < 0.5 { (left, right) } else { (right, left) };
            let pictures = people[person].clone();
            walks.push(Walk { person, begins, lasts, from: (from, lane), to: (to, lane), pictures });
            person += 1;
            begins += every;
        }
        if every > 1e6 {
            walks.clear();
        }
        let (walks, wall) = (Arc::new(walks), Arc::new(wall()));
        let source = || Corridor {
            walks: walks.clone(),
            wall: wall.clone(),
            at: 0,
            frames: options.seconds * options.fps,
            fps: options.fps,
            noise: 1,
        };
        println!(
            "\n{name}: {} s of {WIDTH}x{HEIGHT} at {} a second, {} walks",
            options.seconds,
            options.fps,
            walks.len()
        );
        let fps = f64::from(options.fps);
        if options.thrifty {
            let thrifty = play(&mut source(), engine, &gallery, Effort::Thrifty, Some(5.0), fps, options.gate)?;
            thrifty.told("five a second, thrifty");
            judged("thrifty", &thrifty, &walks);
            return Ok(());
        }
        let full = play(&mut source(), engine, &gallery, Effort::Everything, None, fps, options.gate)?;
        let sampled = play(&mut source(), engine, &gallery, Effort::Everything, Some(5.0), fps, options.gate)?;
        let thrifty = play(&mut source(), engine, &gallery, Effort::Thrifty, Some(5.0), fps, options.gate)?;
        report(&full, &sampled, &thrifty);
        for (name, run) in [("every frame", &full), ("five a second in full", &sampled), ("thrifty", &thrifty)] {
            judged(name, run, &walks);
        }
    }
    Ok(())
}

/// Found, missed and false marks, and how long a known face took to be marked.
fn judged(name: &str, run: &Run, walks: &[Walk]) {
    let enrolled: Vec<&Walk> = walks.iter().filter(|walk| walk.person.is_multiple_of(2)).collect();
    let found = |walk: &&&Walk| run.known.contains_key(&(walk.person as i64));
    let missed: Vec<_> = enrolled.iter().filter(|walk| !found(walk)).map(|walk| walk.person).collect();
    let wrong = run.known.keys().filter(|id| !enrolled.iter().any(|walk| walk.person as i64 == **id)).count();
    // From when half of the picture that walks, and so all of its face, is in view.
    let mut waits: Vec<f64> = enrolled
        .iter()
        .filter_map(|walk| {
            let id = walk.person as i64;
            let visible = walk.begins + walk.lasts * 175.0 / f64::from(WIDTH + 250);
            Some((run.known.get(&id)? - visible).max(0.0) + run.took.get(&id)?)
        })
        .collect();
    waits.sort_by(f64::total_cmp);
    let quantile =
        |q: f64| waits.get(((waits.len() as f64 - 1.0).max(0.0) * q).round() as usize).copied().unwrap_or(0.0);
    println!(
        "{name:24} {} of {} marked, missed {missed:?}, {wrong} false; from face in view to mark: \
         median {:.2} s, 95th percentile {:.2} s",
        enrolled.len() - missed.len(),
        enrolled.len(),
        quantile(0.5),
        quantile(0.95),
    );
}

/// A wall with a door, plain enough to be one and not quite plain.
fn wall() -> Vec<u8> {
    let mut pixels = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let door = (500..760).contains(&x) && y > 120;
            let base: u32 = if door { 96 } else { 150 };
            let value = (base + (x / 16 + y / 24) % 9 + y / 24) as u8;
            pixels.extend([value, value, value.saturating_sub(8)]);
        }
    }
    pixels
}
