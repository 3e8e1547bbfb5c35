//! The default pack through the whole engine, on the pictures that the project carries.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::path::Path;
use std::sync::OnceLock;

use faceattend_core::decode::{DecodeLimits, decode};
use faceattend_core::detection::{DetectOptions, InputSize};
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine, Face, Selection};
use faceattend_core::frame::{ChannelOrder, Frame};
use faceattend_core::geometry::Rect;
use faceattend_core::models::ExecutionProvider;
use faceattend_core::types::Threshold;
use faceattend_core::{Error, ErrorKind};

const MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/media");

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::builder().with_antispoof(Antispoof::Off).build().unwrap())
}

fn still(name: &str) -> Frame<'static> {
    decode(&std::fs::read(Path::new(MEDIA).join(name)).unwrap(), &DecodeLimits::default()).unwrap()
}

fn faces(frame: &Frame<'_>, options: &AnalyzeOptions) -> Vec<Face> {
    engine().analyze(frame, options).unwrap().faces
}

/// `picture`, scaled so that it is `width` wide, at (`left`, `top`) of a gray frame.
fn placed(pictures: &[(&Frame<'_>, u32, u32, u32)], size: (u32, u32)) -> Frame<'static> {
    let mut canvas = image::RgbImage::from_pixel(size.0, size.1, image::Rgb([128; 3]));
    for (picture, width, left, top) in pictures {
        let source = image::RgbImage::from_raw(picture.width(), picture.height(), picture.pixels().to_vec()).unwrap();
        let height = width * picture.height() / picture.width();
        let scaled = image::imageops::resize(&source, *width, height, image::imageops::FilterType::Triangle);
        image::imageops::overlay(&mut canvas, &scaled, i64::from(*left), i64::from(*top));
    }
    Frame::new(canvas.into_raw(), size.0, size.1, ChannelOrder::Rgb).unwrap()
}

#[test]
fn one_person_is_alike_in_every_view_and_unlike_the_others() {
    let embedding = |name: &str| faces(&still(name), &AnalyzeOptions::default()).remove(0).embedding.unwrap();
    let people = ["collins", "hopper", "obama"];
    let calibration = &engine().embedder().calibration;
    let center = people.map(|person| embedding(&format!("{person}/center.jpg")));
    for (i, person) in people.into_iter().enumerate() {
        for view in ["left", "right"] {
            let view = embedding(&format!("{person}/{view}.jpg"));
            for (j, other) in center.iter().enumerate() {
                let similarity = calibration.similarity(view.cosine(other).unwrap());
                assert_eq!(Threshold::DOCUMENTED.admits(similarity), i == j, "{person}: {similarity:?} to {j}");
            }
        }
    }
}

#[test]
fn a_face_of_thirty_pixels_and_one_that_fills_the_frame_are_found() {
    let picture = still("hopper/center.jpg");
    let face = faces(&picture, &AnalyzeOptions::default())[0].bbox;
    // The face takes this part of the picture's width.
    let part = face.width() / picture.width() as f32;

    let width = (30.0 / part).round() as u32;
    let small = placed(&[(&picture, width, 700, 300)], (1280, 720));
    let found = faces(&small, &AnalyzeOptions::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!((20.0..45.0).contains(&found[0].bbox.width()), "{:?}", found[0].bbox);

    let width = (640.0 / part) as u32;
    let (left, top) = (
        (face.x1 / picture.width() as f32 * width as f32) as i64,
        (face.y1 / picture.height() as f32 * width as f32 * picture.height() as f32 / picture.width() as f32) as i64,
    );
    let source = image::RgbImage::from_raw(picture.width(), picture.height(), picture.pixels().to_vec()).unwrap();
    let large = image::imageops::resize(
        &source,
        width,
        width * picture.height() / picture.width(),
        image::imageops::FilterType::Triangle,
    );
    let filled = image::imageops::crop_imm(&large, left as u32, top as u32, 640, 640).to_image();
    let filled = Frame::new(filled.into_raw(), 640, 640, ChannelOrder::Rgb).unwrap();
    let found = faces(&filled, &AnalyzeOptions::default());
    assert_eq!(found.len(), 1);
    assert!(found[0].bbox.iou(&Rect::new(0.0, 0.0, 640.0, 640.0)) > 0.5, "{:?}", found[0].bbox);
}

#[test]
fn several_faces_are_found_and_the_policy_chooses_who_goes_further() {
    let (a, b, c) = (still("collins/center.jpg"), still("hopper/center.jpg"), still("obama/center.jpg"));
    let frame = placed(&[(&a, 360, 0, 60), (&b, 520, 380, 60), (&c, 360, 910, 60)], (1280, 720));
    let all = faces(&frame, &AnalyzeOptions::default());
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|face| face.embedding.is_some()));
    assert!(all.windows(2).all(|w| w[0].bbox.area() >= w[1].bbox.area()), "largest first");

    let largest = faces(&frame, &AnalyzeOptions::default().with_selection(Selection::Largest));
    assert_eq!(largest.len(), 3, "the others are still listed");
    assert_eq!(largest.iter().filter(|face| face.embedding.is_some()).count(), 1);
    assert!(largest[0].embedding.is_some() && largest[0].bbox.area() >= largest[1].bbox.area());

    let right = faces(&frame, &AnalyzeOptions::default().with_region(Rect::new(900.0, 0.0, 1280.0, 720.0)));
    assert_eq!(right.len(), 1);
    assert!(right[0].bbox.x1 > 880.0);
    let outside = AnalyzeOptions::default().with_region(Rect::new(2000.0, 0.0, 2100.0, 50.0));
    assert!(faces(&frame, &outside).is_empty());
}

#[test]
fn a_batch_of_faces_and_one_alone_are_embedded_alike() {
    let (a, b) = (still("collins/center.jpg"), still("hopper/center.jpg"));
    let frame = placed(&[(&a, 500, 0, 0), (&b, 500, 600, 0)], (1280, 720));
    let both = faces(&frame, &AnalyzeOptions::default());
    let alone = faces(&frame, &AnalyzeOptions::default().with_selection(Selection::Largest));
    let cosine = both[0].embedding.as_ref().unwrap().cosine(alone[0].embedding.as_ref().unwrap()).unwrap();
    assert!(cosine.0 > 0.999_99, "{cosine:?}");
}

/// A JPEG of several million pixels, of which the detector looks at a few ten thousand.
#[test]
fn a_picture_that_is_decoded_in_part_shows_the_same_faces() {
    let (collins, hopper) = (still("collins/center.jpg"), still("hopper/left.jpg"));
    let frame = placed(&[(&collins, 900, 37, 61), (&hopper, 1200, 1150, 333)], (2403, 1501));
    let mut jpeg = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_raw(frame.width(), frame.height(), frame.pixels().to_vec()).unwrap();
    picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let (bytes, limits) = (jpeg.into_inner(), DecodeLimits::default());
    let decoded = decode(&bytes, &limits).unwrap();
    let everywhere = AnalyzeOptions::default().with_depth(Depth::Detection);
    for options in [everywhere, everywhere.with_region(Rect::new(1101.0, 300.0, 2403.0, 1501.0))] {
        let part = engine().analyze_encoded(&bytes, &limits, &options).unwrap();
        let whole = engine().analyze(&decoded, &options).unwrap();
        assert_eq!(part.input_size, whole.input_size);
        assert_eq!(
            (part.faces.len(), whole.faces.len()),
            (2 - usize::from(options.region.is_some()), part.faces.len())
        );
        for (part, whole) in part.faces.iter().zip(&whole.faces) {
            assert!(part.bbox.iou(&whole.bbox) > 0.98, "{:?} for {:?}", part.bbox, whole.bbox);
            assert!((part.score - whole.score).abs() < 0.02);
        }
    }
    // What goes further sees every pixel, and so the very same.
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
    let encoded = engine().analyze_encoded(&bytes, &limits, &options).unwrap();
    assert_eq!(encoded, engine().analyze(&decoded, &options).unwrap());
}

#[test]
fn the_order_of_the_channels_does_not_matter() {
    let rgb = still("obama/left.jpg");
    let swapped: Vec<u8> = rgb.pixels().chunks(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
    let bgr = Frame::new(swapped, rgb.width(), rgb.height(), ChannelOrder::Bgr).unwrap();
    let (a, b) = (faces(&rgb, &AnalyzeOptions::default()), faces(&bgr, &AnalyzeOptions::default()));
    assert_eq!(a, b);
}

#[test]
fn where_no_face_is_none_is_found_and_depth_is_respected() {
    // Pseudo-random pixels: every frequency, no face.
    let mut state = 1u32;
    let noise: Vec<u8> = (0..640 * 480 * 3)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let noise = Frame::new(noise, 640, 480, ChannelOrder::Rgb).unwrap();
    assert!(faces(&noise, &AnalyzeOptions::default()).is_empty());

    let face = faces(&still("hopper/center.jpg"), &AnalyzeOptions::default().with_depth(Depth::Pose)).remove(0);
    assert!(face.pose.is_some() && face.quality.is_some() && face.mesh.is_some() && face.embedding.is_none());
    let face = faces(&still("hopper/center.jpg"), &AnalyzeOptions::default().with_depth(Depth::Detection)).remove(0);
    assert!(face.pose.is_none() && face.embedding.is_none());
}

#[test]
fn an_absent_antispoof_model_is_said_not_passed_over() {
    let empty = tempfile::tempdir().unwrap();
    let engine = Engine::builder().with_models_folder(empty.path()).build().unwrap();
    let face = engine.analyze(&still("hopper/center.jpg"), &AnalyzeOptions::default()).unwrap().faces.remove(0);
    assert_eq!(face.antispoof.real(), None);
    assert!(format!("{:?}", face.antispoof).contains("faceattend models pull minifasnet"), "{:?}", face.antispoof);
}

#[test]
fn what_is_wrong_with_a_model_is_said_when_the_engine_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.onnx");
    std::fs::write(&broken, b"not a model").unwrap();
    let error = Engine::builder().with_detector_file(&broken, None).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(error.to_string().contains("broken.onnx"), "{error}");

    let missing = Engine::builder().with_embedder_file(folder.path().join("none.onnx"), None).build().unwrap_err();
    assert!(missing.to_string().contains("none.onnx"), "{missing}");

    // An embedder where a detector belongs.
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/default");
    let error = Engine::builder().with_detector_file(models.join("sface.onnx"), None).build().unwrap_err();
    assert!(error.to_string().contains("no face detector"), "{error}");

    let error = Engine::builder().with_models_folder(folder.path()).with_pack("opencv-zoo").build().unwrap_err();
    assert!(error.to_string().contains("faceattend models pull opencv-zoo"), "{error}");
    assert!(matches!(
        Engine::builder().with_pack("nonsense").build(),
        Err(Error::NotFound { .. } | Error::Model { .. } | Error::InvalidInput { .. })
    ));
}

#[test]
#[cfg(not(feature = "cuda"))]
fn a_gpu_that_is_not_there_is_an_error_and_no_silent_cpu() {
    let error = Engine::builder().with_provider(ExecutionProvider::Cuda).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Runtime);
    assert!(error.to_string().contains("cuda"), "{error}");
}

#[test]
fn options_out_of_range_are_refused() {
    let options = DetectOptions::default().with_input_size(InputSize::Fixed(1));
    assert_eq!(Engine::builder().with_detect_options(options).build().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn many_threads_get_the_same_answer() {
    let frame = still("collins/center.jpg");
    let reference = faces(&frame, &AnalyzeOptions::default());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(faces(&frame, &AnalyzeOptions::default()), reference);
                }
            });
        }
    });
}

#[test]
fn the_box_of_a_face_at_the_border_ends_there() {
    let picture = still("hopper/center.jpg");
    let face = faces(&picture, &AnalyzeOptions::default())[0].bbox;
    // Cut so that the forehead and a part of one cheek are missing.
    let (left, top) = ((face.x1 + 0.12 * face.width()) as u32, (face.y1 + 0.12 * face.height()) as u32);
    let source = image::RgbImage::from_raw(picture.width(), picture.height(), picture.pixels().to_vec()).unwrap();
    let (width, height) = (picture.width() - left, picture.height() - top);
    let cut = image::imageops::crop_imm(&source, left, top, width, height).to_image();
    let cut = Frame::new(cut.into_raw(), width, height, ChannelOrder::Rgb).unwrap();
    for depth in [Depth::Detection, Depth::Embedding] {
        let found = &faces(&cut, &AnalyzeOptions::default().with_depth(depth))[0];
        let Rect { x1, y1, x2, y2 } = found.bbox;
        assert!(x1 >= 0.0 && y1 >= 0.0 && x2 <= width as f32 && y2 <= height as f32, "{:?}", found.bbox);
        assert!(x1 == 0.0 || y1 == 0.0, "it is at the border: {:?}", found.bbox);
    }
}
