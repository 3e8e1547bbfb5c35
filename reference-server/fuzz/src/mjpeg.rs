//! The frames of a recording, as they are played: read out of the container and decoded.
//!
//! - What a recorder wrote comes out again, byte for byte and in its order.
//! - Each frame is a picture within the limits, or an error that ends nothing.

use arbitrary::Unstructured;

use crate::{avi, decode};

/// Frames in one recording.
const MOST: usize = 8;

/// Makes a recording out of `data` and plays it.
pub fn check(data: &[u8]) {
    let mut from = Unstructured::new(data);
    let sound = from.arbitrary().unwrap_or_default();
    let interval = (from.int_in_range(1..=2000).unwrap_or(1), from.int_in_range(1..=60_000).unwrap_or(25));
    let mut frames = Vec::new();
    while !from.is_empty() && frames.len() < MOST {
        let length = from.int_in_range(0..=4096).unwrap_or(0).min(from.len());
        frames.push(from.bytes(length).unwrap_or_default().to_vec());
    }
    let (_, read) = avi::read(&avi::recording(&frames, interval, sound)).expect("a recording");
    let written: Vec<_> = frames.iter().map(|frame| Some(frame.clone()).filter(|frame| !frame.is_empty())).collect();
    assert_eq!(read, written);
    frames.iter().for_each(|frame| decode::check(frame));
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    // Sound or not, both numbers of the interval, then each frame behind its length: `Unstructured` reads as many bytes
    // as a number of that range needs.
    let head = [0, 1, 0, 0, 0, 24, 0, 0, 0];
    let jpeg = crate::exif::jpeg(false);
    let length = u16::try_from(jpeg.len()).expect("a small picture").to_be_bytes();
    vec![
        ("one", [&head[..], &length, &jpeg].concat()),
        ("two", [&head[..], &length, &jpeg, &length, &jpeg].concat()),
        ("no-picture", [&head[..], &[0, 0, 0, 1, 7]].concat()),
    ]
}
