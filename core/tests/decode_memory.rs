//! The memory that decoding takes is what [`memory_to_decode`] told before it. Measured in a process of its own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking and says its figures")]

use std::io::Cursor;

use faceattend_core::decode::{DecodeLimits, decode, memory_to_decode};
use image::{DynamicImage, ImageFormat, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Pixels at each side: large enough that buffers of a few rows do not matter.
const SIDE: u32 = 2500;
/// What the allocator and buffers of a few rows may add.
const SLACK: u64 = 8 << 20;

/// The most memory that the process has had since `reset`, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Forgets what the process had before (proc(5), `clear_refs`).
fn reset() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(progressive: bool, optimized: bool) -> Vec<u8> {
    let pixels = picture();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.set_progressive(progressive);
    encoder.set_optimized_huffman_tables(optimized);
    let side = u16::try_from(SIDE).unwrap();
    encoder.encode(pixels.as_raw(), side, side, ColorType::Rgb).unwrap();
    bytes
}

fn picture() -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| image::Rgb([(x / 9 % 256) as u8, (y / 7 % 256) as u8, ((x + y) % 251) as u8]))
}

/// An EXIF block that says: turn a quarter clockwise (orientation 6), put behind the start of the file.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    let exif = b"\xFF\xE1\x00\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    [&jpeg[..2], exif, &jpeg[2..]].concat()
}

/// The variable by which glibc gives every larger buffer pages of its own, and takes them back with the buffer.
const PAGES: &str = "MALLOC_MMAP_THRESHOLD_";

#[test]
fn decoding_takes_no_more_memory_than_the_header_told() {
    if std::env::var_os(PAGES).is_some() {
        return measure();
    }
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    let name = "decoding_takes_no_more_memory_than_the_header_told";
    let done = again.args(["--exact", name, "--nocapture"]).env(PAGES, "65536").output().unwrap();
    println!("{}", String::from_utf8_lossy(&done.stdout));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn measure() {
    let plain = DynamicImage::ImageRgb8(picture());
    let forms = [
        ("PNG", encoded(&plain, ImageFormat::Png)),
        ("PNG with transparency", encoded(&plain.to_rgba8().into(), ImageFormat::Png)),
        ("PNG of 16 bits", encoded(&plain.to_rgba16().into(), ImageFormat::Png)),
        ("PNG in grey", encoded(&plain.to_luma8().into(), ImageFormat::Png)),
        ("JPEG", jpeg(false, false)),
        ("JPEG on its side", turned(&jpeg(false, false))),
        ("progressive JPEG", jpeg(true, false)),
        ("JPEG of separate scans", jpeg(false, true)),
        ("WebP", encoded(&plain, ImageFormat::WebP)),
        ("WebP with transparency", encoded(&plain.to_rgba8().into(), ImageFormat::WebP)),
    ];
    drop(plain);
    for (form, bytes) in forms {
        let told = memory_to_decode(&bytes, &DecodeLimits::default()).unwrap();
        reset();
        let before = peak();
        let frame = decode(&bytes, &DecodeLimits::default()).unwrap();
        let took = peak() - before;
        drop(frame);
        println!("{form}: told {} MB, took {} MB", told / 1_000_000, took / 1_000_000);
        assert!(took <= told + SLACK, "{form}: told {told}, took {took}");
        assert!(told <= 2 * took, "{form}: told {told}, took {took}");
    }
}
