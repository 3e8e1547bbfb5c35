//! Pictures in JSON: base64, with or without the head of a data URI.
//!
//! - What is read, written in base64 again, is the letters that were sent.
//! - The head of a data URI, blanks and line ends change nothing.
//! - Nothing is read from nothing.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use faceattend_server::internals::picture_in;

use crate::memory::within;

/// Reads `data` as the text of a field.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let picture = within(8 * text.len() + (1 << 16), || picture_in(&text));
    let is_uri = text.starts_with("data:");
    let encoded = match text.split_once(";base64,") {
        Some((_, encoded)) if is_uri => encoded,
        _ => &text,
    };
    let in_alphabet = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=');
    let letters: String = encoded.chars().filter(in_alphabet).collect();
    match &picture {
        Some(bytes) => {
            assert!(!bytes.is_empty());
            assert_eq!(BASE64_STANDARD.encode(bytes), letters);
        }
        None => assert!(letters.is_empty() || BASE64_STANDARD.decode(&letters).is_err()),
    }
    if !is_uri {
        assert_eq!(picture_in(&format!("data:image/jpeg;base64,{text}")), picture);
        let broken: String = text.chars().flat_map(|letter| [letter, '\r', '\n', ' ']).collect();
        assert_eq!(picture_in(&broken), picture);
    }
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain", b"aGVsbG8=".to_vec()),
        ("lines", b"aGVs\r\nbG8=".to_vec()),
        ("data-uri", b"data:image/jpeg;base64,aGVsbG8=".to_vec()),
        ("url-safe", b"_-_-aGVsbG8=".to_vec()),
        ("no-padding", b"aGVsbG8".to_vec()),
        ("not-base64", b"data:image/png,hello".to_vec()),
    ]
}
