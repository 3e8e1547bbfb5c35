//! Simulated clips of living people and of attacks, as a fixed camera would deliver them: for measuring what liveness
//! at the gate stops and whom it refuses.
//!
//! Everything comes from one photograph of each person. A genuine clip is a rendering of the person's head; an attack is
//! the photograph, or such a rendering, on paper or on a screen that is held to the camera. Both are before the same
//! room, taken by the same camera, at the same place and of the same size, so that nothing but what is shown can tell
//! them apart. They are labelled simulated, and figures from them are to be reported apart from those of real clips.

mod clip;
mod figure;
mod hand;
mod held;
mod lens;
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

/// Writes the clips and their `labels.csv`.
///
/// # Errors
/// When the photographs cannot be read or the clips not be written.
pub(super) fn run(options: &Attacks) -> Result<()> {
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
        let (who, picture) = (&subject.name, &subject.picture);
        rows.push(format!("{who}/{name},{label},{attack},{who},simulated,{},{picture}", of_stage + 1));
    }
    Ok(rows)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))
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
