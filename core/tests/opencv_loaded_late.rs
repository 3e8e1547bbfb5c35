//! OpenCV costs memory, and a system may lack it: it is loaded when a source needs it, and not before. A program of its
//! own, because what one test has loaded stays.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/opencv.rs"]
mod opencv;

use std::path::Path;

use faceattend_core::camera::{CameraSource, OpenOptions, open};

fn opencv_is_loaded() -> bool {
    std::fs::read_to_string("/proc/self/maps").unwrap().contains("libopencv_videoio")
}

#[test]
fn opencv_is_loaded_when_the_first_source_needs_it() {
    // The feature `opencv` links it.
    if cfg!(feature = "opencv") {
        return;
    }
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/media/class.avi");
    let source = |path: &Path| CameraSource::parse(path.to_str().unwrap()).unwrap();
    let mut ours = open(&source(&recording), &OpenOptions::default()).unwrap();
    assert!(ours.next_frame().unwrap().is_some());
    assert!(!opencv_is_loaded(), "a recording that this crate reads has loaded OpenCV");

    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.mp4");
    std::fs::write(&other, b"no video").unwrap();
    let refused = open(&source(&other), &OpenOptions::default()).err().unwrap().to_string();
    if opencv::opencv_is_there() {
        assert!(opencv_is_loaded() && refused.contains("it is no video that can be read"), "{refused}");
    } else {
        assert!(refused.contains("needs OpenCV") && refused.contains("FACEATTEND_OPENCV_LIBRARY"), "{refused}");
    }
}
