//! Simulated clips of living people and of attacks, as a fixed camera would deliver them: for measuring what liveness
//! at the gate stops and whom it refuses.
//!
//! Everything comes from one photograph of each person. A genuine clip is a rendering of the person's head; an attack
//! is the photograph, or such a rendering, on paper or on a screen that is held to the camera. Both are before the
//! same room, taken by the same camera, at the same place and of the same size, so that nothing but what is shown can
//! tell them apart. They are labelled simulated; report figures from them apart from those of real clips.

mod clip;
mod figure;
mod hand;
mod held;
mod lens;
mod lid;
mod life;
mod matte;
mod medium;
mod paper;
mod scene;
mod screen;
mod sensor;
mod sheet;
mod stage;
mod subjects;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Attacks;
use super::avi::avi;
use crate::Result;
use clip::{Kind, Shot, Subject};
use stage::Stage;

/// The table's head. Clips of one `stage` share room, camera and place; `picture` is the photograph that was used, so
/// that another one enrols the person.
const HEAD: &str = "path,label,attack,subject,origin,stage,picture";

/// The longest clip, in seconds: what a file in this format holds, with room to spare.
const LONGEST: f64 = 600.0;

/// Writes the clips and their `labels.csv`.
///
/// # Errors
/// When the photographs cannot be read or the clips not be written.
pub(super) fn run(options: &Attacks) -> Result<()> {
    let known = Kind::ATTACKS.map(Kind::name);
    if let Some(unknown) = options.only.iter().find(|only| !known.contains(&only.as_str())) {
        return Err(format!("{unknown} is no kind of attack; there are {}", known.join(", ")));
    }
    if !(options.seconds > 0.0 && options.seconds <= LONGEST) {
        return Err(format!("a clip of {} s: it has to be above 0 and at most {LONGEST}", options.seconds));
    }
    let size = [options.width, options.height].map(|v| v as usize);
    let subjects = subjects::read(&options.people, options.count.unwrap_or(usize::MAX))?;
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(vec![Vec::new(); subjects.len()]);
    let work = || -> Result<()> {
        while let Some((number, subject)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            subjects.get(number).map(|subject| (number, subject))
        } {
            let holder = &subjects[(number + 1) % subjects.len()];
            let own = of_subject(options, size, subject, holder)?;
            println!("{}: {} clips", subject.name, own.len());
            // What is finished can be used while the others are rendered.
            let mut rows = rows.lock().map_err(|e| e.to_string())?;
            rows[number] = own;
            let table = format!("{HEAD}\n{}\n", rows.concat().join("\n"));
            write(&options.to.join("labels.csv"), table.as_bytes())?;
        }
        Ok(())
    };
    let jobs = options.jobs.max(1) as usize;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker stopped".to_owned())?)
    })?;
    let count = rows.into_inner().map_err(|e| e.to_string())?.concat().len();
    println!("{count} clips of {} people in {}", subjects.len(), options.to.display());
    Ok(())
}

/// Writes the clips of one person and returns their rows of the table.
fn of_subject(options: &Attacks, size: [usize; 2], subject: &Subject, holder: &Subject) -> Result<Vec<String>> {
    let folder = options.to.join(&subject.name);
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let stages = options.genuine.max(1);
    let mut plan: Vec<(Kind, u32)> = (0..options.genuine).map(|stage| (Kind::Bonafide, stage)).collect();
    let wanted = |kind: Kind| options.only.is_empty() || options.only.iter().any(|only| only == kind.name());
    let attacks = Kind::ATTACKS.into_iter().zip(0..).filter(|(kind, _)| wanted(*kind));
    plan.extend(attacks.map(|(kind, i)| (kind, i % stages)));
    let mut rows = Vec::new();
    for (kind, of_stage) in plan {
        let stage = Stage::new(size, seed(&[options.seed, hash(&subject.name), u64::from(of_stage)]));
        let own = seed(&[options.seed, hash(&subject.name), u64::from(of_stage), hash(kind.name())]);
        let shot = Shot { kind, seconds: options.seconds, fps: options.fps, seed: own };
        let pictures = clip::render(&stage, subject, holder, shot)?;
        let name = format!("{}_{}.avi", kind.name(), of_stage + 1);
        write(&folder.join(&name), &avi(&pictures, options.width, options.height, options.fps)?)?;
        let label = if kind == Kind::Bonafide { "bonafide" } else { "attack" };
        let attack = if kind == Kind::Bonafide { "" } else { kind.name() };
        let path = field(&format!("{}/{name}", subject.name));
        let (who, picture, stage) = (field(&subject.name), field(&subject.picture), of_stage + 1);
        rows.push(format!("{path},{label},{attack},{who},simulated,{stage},{picture}"));
    }
    Ok(rows)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// A field of a CSV file, in quotes where it needs them.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// One number out of several: FNV-1a.
fn seed(of: &[u64]) -> u64 {
    of.iter()
        .flat_map(|number| number.to_le_bytes())
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn hash(text: &str) -> u64 {
    seed(&text.bytes().map(u64::from).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use faceattend_core::engine::Antispoof;
    use faceattend_core::{AnalyzeOptions, Depth, Engine};

    use super::figure::LIDS;
    use super::life::Moment;
    use super::*;
    use crate::workspace::root;

    const SIZE: [usize; 2] = [640, 480];

    /// The people of the sample media, whose photographs may be published.
    fn subjects() -> Vec<Subject> {
        subjects::read(&root().join("examples/media"), 2).unwrap()
    }

    fn clip_of(kind: Kind, subjects: &[Subject], seed: u64, seconds: f64) -> Vec<Vec<u8>> {
        let stage = Stage::new(SIZE, 5);
        clip::render(&stage, &subjects[0], &subjects[1], Shot { kind, seconds, fps: 10, seed }).unwrap()
    }

    fn analyzed(engine: &Engine, picture: &[u8]) -> faceattend_core::Analysis {
        let file = faceattend_core::decode::decode(picture, &Default::default()).unwrap();
        engine.analyze(&file, &AnalyzeOptions::default().with_depth(Depth::Pose)).unwrap()
    }

    fn engine() -> Engine {
        Engine::builder().with_antispoof(Antispoof::Off).build().unwrap()
    }

    #[test]
    fn a_seed_gives_the_same_clip_and_another_seed_another() {
        let subjects = subjects();
        for kind in [Kind::Bonafide, Kind::PrintBent, Kind::TabletTalk] {
            let clip = clip_of(kind, &subjects, 7, 0.2);
            assert_eq!(clip.len(), 2);
            assert_ne!(clip[0], clip[1], "noise makes each picture another");
            assert_eq!(clip, clip_of(kind, &subjects, 7, 0.2), "{kind:?}");
            assert_ne!(clip, clip_of(kind, &subjects, 8, 0.2), "{kind:?}");
        }
    }

    #[test]
    fn only_what_is_on_a_stand_keeps_still() {
        let subjects = subjects();
        let moved = |kind: Kind| {
            let clip = clip_of(kind, &subjects, 7, 2.0);
            let [first, last] = [&clip[0], &clip[clip.len() - 1]]
                .map(|picture| image::load_from_memory(picture).unwrap().to_luma8().into_raw());
            let far = first.iter().zip(&last).filter(|(a, b)| a.abs_diff(**b) > 24).count();
            far as f64 / first.len() as f64
        };
        assert!(moved(Kind::PrintStill) < 1e-4, "{}", moved(Kind::PrintStill));
        for kind in [Kind::Bonafide, Kind::PrintHeld, Kind::Cutout, Kind::PhoneStill] {
            assert!(moved(kind) > 2e-3, "{kind:?}: {}", moved(kind));
        }
    }

    #[test]
    fn every_kind_shows_a_face_of_the_size_and_at_the_place_of_the_stage() {
        let (engine, subjects, stage) = (engine(), subjects(), Stage::new(SIZE, 5));
        for kind in [Kind::Bonafide].into_iter().chain(Kind::ATTACKS) {
            let clip = clip_of(kind, &subjects, 3, 0.1);
            let faces = analyzed(&engine, &clip[0]).faces;
            assert!(!faces.is_empty(), "{kind:?}: no face");
            let mesh = faces[0].mesh.as_ref().unwrap();
            let points: Vec<_> = mesh.points().iter().map(|point| point.map(f64::from)).collect();
            let start = if kind == Kind::PrintStill { f64::INFINITY } else { 0.0 };
            let (face, place) = (matte::FaceSize::of(&points), stage.place(start));
            let away = (face.center[0] - place.center[0]).hypot(face.center[1] - place.center[1]);
            let width = face.width / (stage.width * place.scale);
            assert!(away < 0.5 * stage.width, "{kind:?}: {away} pixels from the place");
            assert!((0.75..1.25).contains(&width), "{kind:?}: {width} of the width");
        }
    }

    #[test]
    fn the_face_mesh_sees_a_rendered_blink() {
        let (engine, subjects, stage) = (engine(), subjects(), Stage::new(SIZE, 5));
        // Without glasses, whose frames the mesh takes for lids.
        let subject = &subjects[0];
        for width in [64.0, 140.0] {
            let opening = |blink: f64| {
                let mut picture = stage.room.clone();
                let place = lens::Place { center: [320.0, 200.0], scale: 1.0 };
                let moment = Moment { blink, ..Moment::default() };
                subject.figure.draw(&mut picture, &stage.lens, place, width, &moment, [1.0; 3]);
                let analysis = analyzed(&engine, &stage.sensor(1).take(&picture).unwrap());
                let mesh = analysis.faces[0].mesh.clone().unwrap();
                let points = mesh.points();
                let eye = |lids: &[(usize, usize)]| lids.iter().map(|&(a, b)| points[b][1] - points[a][1]).sum::<f32>();
                let corners = (points[133][0] - points[33][0]) + (points[263][0] - points[362][0]);
                LIDS.iter().map(|lids| eye(lids)).sum::<f32>() / 7.0 / corners
            };
            let [open, half, closed] = [0.0, 0.5, 1.0].map(opening);
            assert!(half < open * 0.95, "{width} pixels: {open} open, {half} half open");
            assert!(closed < open * 0.75, "{width} pixels: {open} open, {closed} closed");
        }
    }
}
