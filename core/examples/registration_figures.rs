//! The figures of `docs/src/liveness.md` on mirrored pictures, nods and blinks, measured again.
//!
//! ```text
//! cargo run -p faceattend-core --example registration_figures -- MEDIA
//! ```
//!
//! MEDIA holds clips (`video/dev`, `gate/turn`, `gate/pad/clips`), pictures in a folder a person (`faces/lfw_dev`,
//! `people/*`), and labeled poses (`pose/*/pose.csv`); what is absent is left out.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for the terminal")]
#![allow(unreachable_pub, dead_code, reason = "what the attack suite shares is in both")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]

#[path = "../tests/common/stage.rs"]
mod stage;
#[path = "../tests/common/warp.rs"]
mod warp;

use std::path::{Path, PathBuf};

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::engine::{AnalyzeOptions, Engine, Face};
use faceattend_core::frame::Frame;
use faceattend_core::gate::{GateOptions, LifeEvidence, LifeView};
use faceattend_core::liveness::{FaceHash, Shape};
use jiff::{SignedDuration, Timestamp};
use stage::{PEOPLE, Shot, frames_of, media};
use warp::{Altered, Held, altered, halved, mirrored, print_of, recompressed};

/// The sides begin here, in degrees; and beyond 50 no session takes a view for its position's identity.
const SIDES: std::ops::Range<f32> = 15.0..50.0;
/// How many views of a clip or person are altered.
const ALTERED_VIEWS: usize = 4;

fn main() {
    let shared = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();
    let engine = Engine::builder().build().unwrap();
    mirrors(&engine, &shared);
    nods(&engine, &shared);
    blinks(&engine, &shared);
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Every clip at `per_second`, by its name.
fn clips(shared: &Path, per_second: f64) -> impl Iterator<Item = (String, Vec<Frame<'static>>)> {
    let rendered = PEOPLE.iter().map(|person| media().join(person).join("turn.avi"));
    let filmed = ["video/dev", "gate/turn", "gate/pad/clips"].into_iter().flat_map(|f| entries(&shared.join(f)));
    let paths: Vec<PathBuf> = rendered.chain(filmed).collect();
    paths.into_iter().filter_map(move |path| {
        let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
        Some((format!("{folder}/{}", path.file_stem()?.to_string_lossy()), frames_of(&path, per_second)?))
    })
}

fn quantile(values: &[f32], part: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(((sorted.len().max(1) - 1) as f32 * part).round() as usize).copied().unwrap_or(f32::NAN)
}

struct View {
    yaw: f32,
    hash: FaceHash,
}

impl View {
    /// The largest face, unless others make it unclear whose view it is.
    fn of(engine: &Engine, frame: &Frame<'_>) -> Option<Self> {
        let shot = Shot::of(engine, frame);
        let [face] = &shot.analysis.faces[..] else { return None };
        Some(Self { yaw: face.pose?.yaw.0, hash: shot.hash.face? })
    }

    fn bits_to_mirrored(&self, other: &Self) -> f32 {
        other.hash.bits_to_mirrored(&self.hash.crop) as f32
    }
}

/// How near opposite views of one person come, one of them mirrored, and how near mirrored pictures of a side.
fn mirrors(engine: &Engine, shared: &Path) {
    let people = ["faces/lfw_dev", "people/casia_faceV5", "people/indian_actors", "people/kpop", "people/nba"];
    let stills = people.into_iter().flat_map(|folder| entries(&shared.join(folder))).filter(|path| path.is_dir());
    let stills = stills.map(|person| {
        let read = |file: &PathBuf| decode(&std::fs::read(file).ok()?, &DecodeLimits::default()).ok();
        (person.to_string_lossy().into_owned(), entries(&person).iter().filter_map(read).collect())
    });
    let mut genuine = Vec::new();
    let mut of_genuine = 0;
    let mut one_side = Vec::new();
    let mut attacks: Vec<(&str, Vec<f32>)> = Vec::new();
    let mut of_attacks = 0;
    for (_, frames) in
        clips(shared, 3.0).map(|(name, frames)| (name, frames.into_iter().take(60).collect())).chain(stills)
    {
        let frames: Vec<Frame<'static>> = frames;
        let views: Vec<(&Frame<'_>, View)> =
            frames.iter().filter_map(|frame| Some((frame, View::of(engine, frame)?))).collect();
        let sides: Vec<&(&Frame<'_>, View)> = views.iter().filter(|(_, v)| SIDES.contains(&v.yaw.abs())).collect();
        let before = genuine.len();
        for (i, (_, view)) in sides.iter().enumerate() {
            for (_, other) in &sides[i + 1..] {
                if view.yaw * other.yaw < 0.0 {
                    genuine.push(view.bits_to_mirrored(other));
                } else {
                    one_side.push(view.hash.crop.coarse_distance(&other.hash.crop) as f32);
                }
            }
        }
        of_genuine += usize::from(genuine.len() > before);
        let step = sides.len().div_ceil(ALTERED_VIEWS).max(1);
        of_attacks += usize::from(!sides.is_empty());
        for (frame, view) in sides.iter().step_by(step) {
            for (kind, forged) in forgeries(&mirrored(frame)) {
                // One that does not reach the gate of the other side is refused for that.
                let Some(forged) = View::of(engine, &forged).filter(|f| f.yaw * view.yaw < 0.0 && f.yaw.abs() > 15.0)
                else {
                    continue;
                };
                let bits = view.bits_to_mirrored(&forged);
                match attacks.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, all)) => all.push(bits),
                    None => attacks.push((kind, vec![bits])),
                }
            }
        }
    }
    println!("# mirrored pictures: coarse bits of 143 between a view and a mirrored one\n");
    let told = |name: &str, bits: &[f32]| {
        let within = bits.iter().filter(|bits| **bits <= 29.0).count();
        println!(
            "{name:28} {within:5} of {:5} within 29; least {}, median {}, 99th part {}, largest {}",
            bits.len(),
            quantile(bits, 0.0),
            quantile(bits, 0.5),
            quantile(bits, 0.99),
            quantile(bits, 1.0)
        );
    };
    told(&format!("genuine, {of_genuine} clips, people"), &genuine);
    told("one side, other moments", &one_side);
    println!("altered, of {of_attacks} clips and people:");
    attacks.iter().for_each(|(kind, bits)| told(kind, bits));
    let all: Vec<f32> = attacks.into_iter().flat_map(|(_, bits)| bits).collect();
    told("all altered", &all);
    println!();
}

fn forgeries(flip: &Frame<'_>) -> Vec<(&'static str, Frame<'static>)> {
    let with = |crop, roll, gain| altered(flip, Altered { crop, roll, gain });
    let held = |yaw, pitch, roll| print_of(flip, Held { yaw, pitch, roll, distance: 1.5 });
    vec![
        ("mirrored only", flip.view().into_owned()),
        ("cropped by 2%", with([0.02; 4], 0.0, 1.0)),
        ("cropped by 10% at one side", with([0.1, 0.03, 0.0, 0.0], 0.0, 1.0)),
        ("halved", halved(flip)),
        ("JPEG 50", recompressed(flip, 50)),
        ("turned by 5 degrees", with([0.0; 4], 5.0, 1.0)),
        ("turned by 12 degrees", with([0.0; 4], -12.0, 1.0)),
        ("lighter (1.35)", with([0.0; 4], 0.0, 1.35)),
        ("darker (0.6)", with([0.0; 4], 0.0, 0.6)),
        ("several at once", recompressed(&with([0.0, 0.05, 0.06, 0.02], -5.0, 0.8), 60)),
        ("held askew by 15", held(15.0, 5.0, 3.0)),
        ("held askew by -15", held(-15.0, -8.0, 3.0)),
        ("held askew by 25", held(25.0, 0.0, 0.0)),
    ]
}

/// How well the pitch is read, and what it does while people talk, nod and hold prints.
fn nods(engine: &Engine, shared: &Path) {
    println!("# nods\n");
    for set in ["aflw2000", "genki_dev"] {
        let Ok(text) = std::fs::read_to_string(shared.join("pose").join(set).join("pose.csv")) else { continue };
        let labeled = text.lines().skip(1).filter_map(|line| {
            let columns: Vec<&str> = line.split(',').collect();
            let (yaw, pitch): (f32, f32) = (columns.get(1)?.parse().ok()?, columns.get(2)?.parse().ok()?);
            let frame =
                decode(&std::fs::read(shared.join("pose").join(set).join(columns[0])).ok()?, &DecodeLimits::default());
            let read = Shot::of(engine, &frame.ok()?).analysis.faces.first()?.pose?.pitch.0;
            (yaw.abs() < 40.0).then_some((pitch, read))
        });
        let labeled: Vec<(f32, f32)> = labeled.collect();
        let (slope, correlation) = line(&labeled);
        println!(
            "{set}: {} faces, {slope:.2} degrees read for one labeled, correlation {correlation:.2}",
            labeled.len()
        );
    }
    let mut reliefs = Vec::new();
    let mut alike = Vec::new();
    for (name, frames) in clips(shared, 5.0) {
        let read = |frame: &Frame<'_>| {
            let shot = Shot::of(engine, frame);
            let face: &Face = shot.analysis.faces.first()?;
            let pose = face.pose?;
            let embedding = face.embedding.clone()?;
            (pose.yaw.0.abs() < 12.0).then(|| (pose.pitch.0, pose.yaw.0, Shape::of(face), embedding))
        };
        let views: Vec<_> = frames.iter().take(120).filter_map(read).collect();
        let Some(ahead) = views.iter().find(|view| view.1.abs() < 5.0) else { continue };
        let mut medians = Vec::new();
        for three in views.windows(3) {
            let mut pitches = [three[0].0, three[1].0, three[2].0];
            pitches.sort_by(f32::total_cmp);
            medians.push(pitches[1] - ahead.0);
        }
        println!(
            "{name:32} {} frames ahead; pitch against the first, median of three: least {:.1}, largest {:.1}",
            views.len(),
            quantile(&medians, 0.0),
            quantile(&medians, 1.0)
        );
        if !name.contains("fake") && !name.contains("replay") {
            for view in views.iter().filter(|view| (view.0 - ahead.0).abs() >= 8.0) {
                reliefs.extend(ahead.2.relief(&view.2));
                alike.push(engine.embedder().similarity(&ahead.3, &view.3).unwrap().value());
            }
        }
    }
    println!(
        "similarity of views that nod by 8 degrees or more: least {:.3}, 10th part {:.3}, median {:.3}",
        quantile(&alike, 0.0),
        quantile(&alike, 0.1),
        quantile(&alike, 0.5)
    );
    println!(
        "relief of {} views that nod by 8 degrees or more: least {:.3}, 10th part {:.3}, median {:.3}",
        reliefs.len(),
        quantile(&reliefs, 0.0),
        quantile(&reliefs, 0.1),
        quantile(&reliefs, 0.5)
    );
    let mut prints = Vec::new();
    for person in entries(&shared.join("faces/lfw_dev")) {
        for file in entries(&person) {
            let Some(frame) = std::fs::read(&file).ok().and_then(|b| decode(&b, &DecodeLimits::default()).ok()) else {
                continue;
            };
            let read = |frame: &Frame<'_>| {
                let shot = Shot::of(engine, frame);
                let [face] = &shot.analysis.faces[..] else { return None };
                Some((face.pose?.pitch.0, face.pose?.yaw.0, Shape::of(face)))
            };
            let Some(ahead) = read(&frame).filter(|view| view.1.abs() <= 5.0) else { continue };
            for pitch in [-40.0, -30.0, -20.0, 20.0, 30.0, 40.0] {
                let held = Held { yaw: 4.0, pitch, roll: 3.0, distance: 1.5 };
                let Some(print) = read(&print_of(&frame, held)) else { continue };
                prints.push(((print.0 - ahead.0).abs(), ahead.2.relief(&print.2).unwrap_or(0.0)));
            }
        }
    }
    let count = |holds: &dyn Fn(&(f32, f32)) -> bool| prints.iter().filter(|print| holds(print)).count();
    println!(
        "{} prints tilted by 20 to 40 degrees: {} nod by 8 degrees, {} have a relief of 0.045, {} both",
        prints.len(),
        count(&|print| print.0 >= 8.0),
        count(&|print| print.1 >= 0.045),
        count(&|print| print.0 >= 8.0 && print.1 >= 0.045)
    );
}

/// The slope of the second values over the first, and their correlation.
fn line(points: &[(f32, f32)]) -> (f32, f32) {
    let count = points.len() as f32;
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f32>() / count, points.iter().map(|p| p.1).sum::<f32>() / count);
    let sum = |of: fn(f32, f32) -> f32| points.iter().map(|p| of(p.0 - mx, p.1 - my)).sum::<f32>();
    let (xx, yy, xy) = (sum(|x, _| x * x), sum(|_, y| y * y), sum(|x, y| x * y));
    (xy / xx, xy / (xx * yy).sqrt())
}

/// The deepest closing of the lids, as a part of their usual gap, that the first `seconds` of each clip show, and when
/// a half was first reached: would a session that waits for a blink let living people pass, and nobody else?
fn blinks(engine: &Engine, shared: &Path) {
    println!("\n# blinks: the deepest closing of the lids, and the second at which it first reached 0.5\n");
    let options = GateOptions::default();
    let begins = Timestamp::UNIX_EPOCH;
    for per_second in [5.0, 10.0] {
        println!("{per_second} pictures a second");
        for (name, frames) in clips(shared, per_second) {
            let mut evidence = LifeEvidence::default();
            let (mut deepest, mut reached, mut views) = (0.0f32, None, 0);
            for (number, frame) in frames.iter().enumerate() {
                let seconds = number as f64 / per_second;
                let analysis = engine.analyze(frame, &AnalyzeOptions::default()).unwrap();
                let Some(face) = analysis.faces.first() else { continue };
                let at = begins + SignedDuration::from_secs_f64(seconds);
                let Some(view) = LifeView::of(face, at) else { continue };
                evidence.add(&view, &engine.embedder().calibration, &options);
                views += 1;
                let dip = evidence.signs().lid_dip.unwrap_or(0.0);
                if dip >= 0.5 && reached.is_none() {
                    reached = Some(seconds);
                }
                deepest = deepest.max(dip);
            }
            let length = frames.len() as f64 / per_second;
            let reached = reached.map_or("never".to_owned(), |seconds| format!("{seconds:.1} s"));
            println!("  {name:32} {length:5.1} s, {views:3} views: deepest {deepest:.2}, {reached}");
        }
    }
}
