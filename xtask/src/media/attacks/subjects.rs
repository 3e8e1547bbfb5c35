//! The people of whom clips are made: one photograph of each, with the face mesh that the default pack finds in it.

use std::fs;
use std::path::{Path, PathBuf};

use faceattend_core::engine::Antispoof;
use faceattend_core::{AnalyzeOptions, ChannelOrder, Depth, Engine, Frame};
use image::RgbImage;

use super::clip::Subject;
use super::figure::Figure;
use super::hash;
use crate::Result;

/// The endings of photographs.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];
/// How far a head may be turned in its photograph, in degrees: beyond, one cheek has too few pixels.
const MOST_YAW: f32 = 12.0;

/// Reads the people of `folder`, which has a folder for each: the first photograph that shows one face from the front.
/// At most `count` people; those without such a photograph are named and left out.
///
/// # Errors
/// When the folder cannot be read, nobody is in it, or the engine cannot be made.
pub(super) fn read(folder: &Path, count: usize) -> Result<Vec<Subject>> {
    let engine = Engine::builder().with_antispoof(Antispoof::Off).build().map_err(|e| e.to_string())?;
    let mut subjects = Vec::new();
    for path in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        if subjects.len() == count {
            break;
        }
        let name = name_of(&path);
        let pictures = entries(&path)?.into_iter().filter(|file| {
            let ending = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
            ENDINGS.contains(&&*ending)
        });
        let mut found = None;
        for picture in pictures {
            found = subject(&engine, &name, &picture)?;
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(subject) => subjects.push(subject),
            None => println!("left out: {name}: no photograph of one face from the front"),
        }
    }
    if subjects.is_empty() {
        return Err(format!("{}: needs a folder for each person, with photographs in it", folder.display()));
    }
    Ok(subjects)
}

fn subject(engine: &Engine, name: &str, picture: &Path) -> Result<Option<Subject>> {
    let photo = image::open(picture).map_err(|e| format!("{}: {e}", picture.display()))?.to_rgb8();
    let frame = Frame::new(photo.as_raw().as_slice(), photo.width(), photo.height(), ChannelOrder::Rgb)
        .map_err(|e| e.to_string())?;
    let analysis =
        engine.analyze(&frame, &AnalyzeOptions::default().with_depth(Depth::Pose)).map_err(|e| e.to_string())?;
    let [face] = analysis.faces.as_slice() else { return Ok(None) };
    let (Some(mesh), Some(pose)) = (&face.mesh, &face.pose) else { return Ok(None) };
    let mesh: Vec<[f64; 3]> = mesh.points().iter().map(|point| point.map(f64::from)).collect();
    if pose.yaw.0.abs() > MOST_YAW || !inside(&mesh, &photo) {
        return Ok(None);
    }
    let figure = Figure::new(&photo, &mesh, f64::from(pose.yaw.0), hash(name));
    Ok(Some(Subject { name: name.to_owned(), picture: name_of(picture), photo, figure }))
}

/// Whether the photograph shows the face with some hair and neck around it.
fn inside(mesh: &[[f64; 3]], photo: &RgbImage) -> bool {
    let face = super::matte::FaceSize::of(mesh);
    let [x, y] = face.center;
    let (side, up) = (0.6 * face.width, 1.15 * face.half_height);
    x > side && y > up && x + side < f64::from(photo.width()) && y + up < f64::from(photo.height())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e: std::io::Error| format!("cannot read {}: {e}", folder.display());
    let mut paths = fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}
