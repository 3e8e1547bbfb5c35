//! Measures the default pack, or models given by path, on labelled pictures of your own.
//!
//! ```text
//! cargo run --release --package faceattend-examples --example measure -- verification PEOPLE [STRANGERS]
//! cargo run --release --package faceattend-examples --example measure -- pose POSE.csv
//! ```
//!
//! PEOPLE holds a folder for each person; STRANGERS a picture for each. POSE.csv has the columns `file` (beside it) and a
//! yaw in degrees, positive when the nose points to the right edge of the picture. `FACEATTEND_DETECTOR` names another
//! detector's file.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::cast_precision_loss, reason = "counts of pictures")]

use std::path::{Path, PathBuf};

use faceattend_core::embedding::{Embedding, Flip};
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine, FaceEngine as _, Selection};
use faceattend_examples::{Outcome, picture};

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["verification", people] => verification(Path::new(people), None),
        ["verification", people, strangers] => verification(Path::new(people), Some(Path::new(strangers))),
        ["pose", labels] => pose(Path::new(labels)),
        _ => Err("usage: measure verification PEOPLE [STRANGERS] | measure pose POSE.csv".into()),
    }
}

fn engine(flip: Flip) -> Outcome<Engine> {
    let builder = Engine::builder().with_antispoof(Antispoof::Off).with_flip(flip);
    Ok(match std::env::var_os("FACEATTEND_DETECTOR") {
        Some(path) => builder.with_detector_file(path, None).build()?,
        None => builder.build()?,
    })
}

fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

fn verification(people: &Path, strangers: Option<&Path>) -> Outcome {
    let mut pictures: Vec<(usize, PathBuf)> = Vec::new();
    for (person, folder) in entries(people)?.into_iter().enumerate() {
        pictures.extend(entries(&folder)?.into_iter().map(|path| (person, path)));
    }
    if let Some(strangers) = strangers {
        let known = pictures.len();
        pictures.extend(entries(strangers)?.into_iter().enumerate().map(|(i, path)| (known + i, path)));
    }
    for flip in [Flip::Off, Flip::Average] {
        let engine = engine(flip)?;
        let options = AnalyzeOptions::default().with_depth(Depth::Embedding).with_selection(Selection::MostCentral);
        let mut found: Vec<(usize, Embedding)> = Vec::new();
        for (person, path) in &pictures {
            let faces = engine.analyze(&picture(path)?, &options)?.faces;
            found.extend(faces.into_iter().find_map(|face| face.embedding).map(|embedding| (*person, embedding)));
        }
        let (mut same, mut different) = (Vec::new(), Vec::new());
        for (i, (person, embedding)) in found.iter().enumerate() {
            for (other_person, other) in &found[i + 1..] {
                let cosine = embedding.cosine(other)?.0;
                if person == other_person { same.push(cosine) } else { different.push(cosine) }
            }
        }
        same.sort_by(f32::total_cmp);
        different.sort_by(f32::total_cmp);
        println!("flip {flip:?}: {} faces in {} pictures", found.len(), pictures.len());
        report(&same, &different);
    }
    Ok(())
}

/// Accuracy and true accept rates from sorted cosines.
fn report(same: &[f32], different: &[f32]) {
    let at_least = |sorted: &[f32], t: f32| {
        (sorted.len() - sorted.partition_point(|c| *c < t)) as f32 / sorted.len().max(1) as f32
    };
    let accuracy = |t: f32| f32::midpoint(at_least(same, t), 1.0 - at_least(different, t));
    let best = (0..=2000).map(|i| i as f32 / 1000.0 - 1.0).max_by(|a, b| accuracy(*a).total_cmp(&accuracy(*b)));
    let best = best.unwrap_or(0.0);
    println!("  {} pairs of one person, {} of two", same.len(), different.len());
    println!("  accuracy {:.2}% at cosine {best:.3}, both kinds of pairs weighing the same", 100.0 * accuracy(best));
    for passes in [1e-3, 1e-4] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let above = (different.len() as f64 * passes) as usize;
        if let Some(threshold) = different.len().checked_sub(above + 1).and_then(|i| different.get(i)) {
            println!("  true accept rate {:.3} at false accept rate {passes:.0e}", at_least(same, *threshold));
        }
    }
}

fn pose(labels: &Path) -> Outcome {
    let engine = engine(Flip::Off)?;
    let folder = labels.parent().unwrap_or(Path::new("."));
    let options = AnalyzeOptions::default().with_depth(Depth::Pose).with_selection(Selection::Largest);
    let mut pairs: Vec<(f32, f32)> = Vec::new();
    for line in std::fs::read_to_string(labels)?.lines().skip(1) {
        let mut columns = line.split(',');
        let (Some(file), Some(yaw)) = (columns.next(), columns.next()) else { continue };
        let faces = engine.analyze(&picture(folder.join(file))?, &options)?.faces;
        pairs.extend(faces.iter().find_map(|face| face.pose).map(|pose| (yaw.parse().unwrap_or(f32::NAN), pose.yaw.0)));
    }
    let usual: Vec<f32> = pairs.iter().filter(|(label, _)| label.abs() < 60.0).map(|(l, y)| (l - y).abs()).collect();
    println!("{} faces; within 60 degrees {}, mean error {:.2}", pairs.len(), usual.len(), mean(&usual));
    let gate = |name: &str, belongs: fn(f32) -> bool| {
        let inside: Vec<f32> = pairs.iter().filter(|(l, _)| belongs(*l)).map(|(_, y)| f32::from(belongs(*y))).collect();
        println!("{name}: {:.3} of {}", mean(&inside), inside.len());
    };
    gate("center", |yaw| yaw.abs() <= 5.0);
    gate("towards the left edge", |yaw| yaw < -15.0);
    gate("towards the right edge", |yaw| yaw > 15.0);
    let wrong = pairs.iter().filter(|(l, y)| l * y < 0.0 && l.abs() > 15.0 && y.abs() > 15.0).count();
    println!("wrong side: {wrong}");
    Ok(())
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}
