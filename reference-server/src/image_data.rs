//! Decodes pictures in JSON: base64, read as leniently as the original reads it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::AppError;

/// The detail of the answer to data that is no picture.
pub(crate) const INVALID: &str = "Invalid image data";

/// Returns the bytes of `text`. The prefix of a data URI is cut off, characters outside the alphabet are discarded,
/// padding is required.
///
/// # Errors
/// 400 where nothing can be decoded.
pub(crate) fn bytes_of(text: &str) -> Result<Vec<u8>, AppError> {
    let encoded = match text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((_, encoded)) => encoded,
        None => text,
    };
    // As nearly every client writes it, without a copy of it.
    if let Ok(bytes) = STANDARD.decode(encoded)
        && !bytes.is_empty()
    {
        return Ok(bytes);
    }
    // The URL-safe alphabet's two letters are dropped too, which garbles the picture: 400, as recorded.
    let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let clean: Vec<u8> = encoded.bytes().filter(in_alphabet).collect();
    let invalid = || AppError::bad_request(INVALID);
    match STANDARD.decode(clean) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_lenient_as_the_original_and_no_more() {
        for good in ["aGVsbG8=", "aGVs\r\nbG8=", "aG Vs-bG8=", "data:image/jpeg;base64,aGVsbG8="] {
            assert_eq!(bytes_of(good).unwrap(), b"hello", "{good}");
        }
        for bad in ["", "abc", "aGVsbG8", "é学", "data:image/png;base64,", "data:image/png,aGVsbG8="] {
            assert!(bytes_of(bad).is_err(), "{bad}");
        }
    }
}
