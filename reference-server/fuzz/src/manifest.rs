//! Manifests of model packs.
//!
//! - A pack and its files have names that lead out of no folder, and every name is there once.
//! - What can be fetched has a hash, a size and a place; an embedder has an id and a calibration, which rises.
//! - Sums and look-ups are answered for whatever was accepted.

use faceattend_core::ErrorKind;
use faceattend_core::models::manifest::{Manifest, Role};
use faceattend_core::types::Cosine;

use crate::memory::within;

/// Beyond the text: what a parser may take for each byte of it, and for itself.
const MEMORY: (usize, usize) = (512, 1 << 20);

/// Reads `data` as a manifest.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let manifest = match within(MEMORY.0 * text.len() + MEMORY.1, || Manifest::parse(text)) {
        Ok(manifest) => manifest,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::Model),
    };
    let is_plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0']);
    for pack in manifest.packs() {
        assert!(is_plain(&pack.name) && manifest.pack(&pack.name).is_ok_and(|found| std::ptr::eq(found, pack)));
        let largest = pack.files.iter().filter_map(|file| file.size).max();
        assert!(pack.size() >= largest.unwrap_or(0));
        for file in &pack.files {
            assert!(is_plain(&file.name) && pack.files.iter().filter(|other| other.name == file.name).count() == 1);
            assert_eq!(file.sha256.is_some(), file.size.is_some());
            if let Some(hash) = &file.sha256 {
                assert!(hash.as_str().len() == 64 && hash.as_str().bytes().all(|b| b.is_ascii_hexdigit()));
                assert!(manifest.file_with_hash(hash).is_some());
            }
            assert!(file.preprocessing.std.iter().all(|std| *std > 0.0));
            let Some(calibration) = &file.calibration else {
                assert!(file.role != Role::Embedder);
                continue;
            };
            let steps = (-10..=10).map(|tenths| calibration.similarity(Cosine(tenths as f32 / 10.0)).value());
            let steps: Vec<f32> = steps.collect();
            assert!(steps.is_sorted() && steps.iter().all(|step| (0.0..=1.0).contains(step)), "{steps:?}");
        }
    }
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let head = r#"schema = 1
[[pack]]
name = "p"
title = "t"
license = "MIT"
commercial_use = true
requires_acceptance = false
attribution = "a"
"#;
    let detector = r#"[[pack.file]]
name = "m.onnx"
role = "detector"
kind = "scrfd"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
size = 3
urls = ["https://example.org/m"]
input = { name = "x", shape = [1, 3, "h", "w"] }
outputs = []
preprocessing = { channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }
yaw_fit = [0.84, -0.01]
figures = [{ what = "one run", value = "1.2 ms" }]
"#;
    let embedder = r#"[[pack.file]]
name = "e.onnx"
role = "embedder"
kind = "embedder"
model_id = "e@00000000"
calibration = [[-1.0, 0.0], [0.1, 0.5], [1.0, 1.0]]
unavailable = "not published"
input = { name = "x", shape = [1] }
outputs = [{ name = "y", shape = [1, 128] }]
preprocessing = { channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1], size = [112, 112], template = "arcface112" }
"#;
    vec![
        ("no-file", format!("{head}file = []\n").into_bytes()),
        ("detector", format!("{head}{detector}").into_bytes()),
        ("embedder", format!("{head}{detector}{embedder}").into_bytes()),
        ("two-packs", format!("{head}{embedder}[[pack]]\n{}", &head["schema = 1\n[[pack]]\n".len()..]).into_bytes()),
        ("no-toml", b"schema = ".to_vec()),
    ]
}
