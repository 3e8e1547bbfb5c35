//! Recordings: AVI files of MJPEG, damaged in every way.
//!
//! - Frames are pieces of the file, and need a header each: a file gives no more than it holds.
//! - A recording that was cut off gives the first of the frames that the whole one gives.
//! - The interval between two frames is one that can be played.
//! - Memory stays within a multiple of the file.

use std::time::Duration;

use faceattend_core::internals::{Frames, frames_of};

use crate::memory::within;

/// Reads `data` as a recording.
pub fn check(data: &[u8]) {
    let Some((interval, frames)) = read(data) else { return };
    assert!((Duration::from_millis(1)..=Duration::from_secs(60)).contains(&interval));
    assert!(frames.len() <= data.len() / 8);
    assert!(frames.iter().flatten().map(Vec::len).sum::<usize>() <= data.len());
    for cut in [data.len() / 2, data.len() - data.len() / 8, data.len() - 1] {
        if let Some((_, first)) = read(&data[..cut]) {
            assert!(frames.starts_with(&first), "cut off at {cut}");
        }
    }
}

pub(crate) fn read(recording: &[u8]) -> Option<(Duration, Frames)> {
    let memory = 64 * recording.len() + (1 << 16);
    within(memory, || frames_of(recording).expect("memory can be read"))
}

fn chunk(id: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a small recording");
    let mut bytes = [&id[..], &length.to_le_bytes(), payload].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn list(id: &[u8; 4], kind: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    chunk(id, &[&kind[..], &parts.concat()].concat())
}

fn stream(kind: &[u8; 4], codec: &[u8; 4], interval: (u32, u32)) -> Vec<u8> {
    let (mut strh, mut strf) = ([0; 56], [0; 40]);
    strh[..4].copy_from_slice(kind);
    strh[4..8].copy_from_slice(codec);
    strh[20..24].copy_from_slice(&interval.0.to_le_bytes());
    strh[24..28].copy_from_slice(&interval.1.to_le_bytes());
    strf[16..20].copy_from_slice(codec);
    list(b"LIST", b"strl", &[chunk(b"strh", &strh), chunk(b"strf", &strf)])
}

/// Returns a recording of `frames`, one every `interval` (seconds as a fraction), behind a sound track when there is to
/// be one.
pub(crate) fn recording(frames: &[Vec<u8>], interval: (u32, u32), sound: bool) -> Vec<u8> {
    let mut streams = vec![chunk(b"avih", &[0; 56])];
    if sound {
        streams.push(stream(b"auds", &[0; 4], (1, 8000)));
    }
    streams.push(stream(b"vids", b"MJPG", interval));
    let id = if sound { b"01dc" } else { b"00dc" };
    let mut chunks: Vec<_> = frames.iter().map(|frame| chunk(id, frame)).collect();
    if sound {
        chunks.insert(0, chunk(b"00wb", &[1, 2, 3]));
    }
    list(b"RIFF", b"AVI ", &[list(b"LIST", b"hdrl", &streams), list(b"LIST", b"movi", &chunks), chunk(b"idx1", &[])])
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let frames = [vec![1, 2, 3], vec![], vec![4, 5]];
    let mut endless = recording(&frames, (1, 25), false);
    // The lengths of lists that a recorder did not come to write.
    endless[4..8].fill(0);
    vec![
        ("video", recording(&frames, (1, 25), false)),
        ("sound-and-video", recording(&frames, (1001, 30_000), true)),
        ("length-missing", endless),
        ("no-rate", recording(&frames, (0, 0), false)),
        ("empty", recording(&[], (1, 25), false)),
    ]
}
