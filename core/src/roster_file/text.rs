//! The letters of a CSV file: which encoding it has, and its text.

use crate::store::{ProblemCode, RosterProblem};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

const SAVE_AS: &str = "save it as \"CSV UTF-8\" or as an Excel workbook (.xlsx), or name its encoding";

/// Text of a file, and the encoding that it was read by where that was a guess.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) guessed: Option<&'static str>,
}

/// Returns the text of `bytes`: by its byte-order mark, else as UTF-8, else as UTF-16 where every other byte of it is
/// zero, else as Windows-1252, which Excel writes in Western Europe and America.
pub(super) fn decode(bytes: &[u8], named: Option<&str>) -> Result<Decoded, RosterProblem> {
    let unknown = |message: String| RosterProblem::of_file(ProblemCode::UnknownEncoding, "", message);
    if let Some(name) = named {
        let encoding = Encoding::for_label(name.as_bytes()).ok_or_else(|| {
            let message = format!("the encoding {name:?} is not known: name one such as utf-8, utf-16 or windows-1251");
            RosterProblem::of_file(ProblemCode::UnknownEncoding, name, message)
        })?;
        let text = strictly(encoding, bytes).ok_or_else(|| {
            let message = format!("the file is not {}: name another encoding", encoding.name());
            RosterProblem::of_file(ProblemCode::UnknownEncoding, encoding.name(), message)
        })?;
        return Ok(Decoded { text, guessed: None });
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let text = strictly(encoding, &bytes[mark..])
            .ok_or_else(|| unknown(format!("the file says that it is {}, and is not: {SAVE_AS}", encoding.name())))?;
        return Ok(Decoded { text, guessed: None });
    }
    if let Some(encoding) = without_a_mark(bytes)
        && let Some(text) = strictly(encoding, bytes)
    {
        return Ok(Decoded { text, guessed: Some(encoding.name()) });
    }
    if let Some(text) = strictly(UTF_8, bytes) {
        return Ok(Decoded { text, guessed: None });
    }
    if is_windows_1252(bytes) {
        let (text, ..) = WINDOWS_1252.decode(bytes);
        return Ok(Decoded { text: text.into_owned(), guessed: Some(WINDOWS_1252.name()) });
    }
    Err(unknown(format!("the letters of the file cannot be told: {SAVE_AS}")))
}

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(|_| text.into_owned())
}

/// The UTF-16 of a file in which every other byte of the beginning is mostly zero: text of Latin letters.
fn without_a_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    /// What is looked at: a heading.
    const BEGINNING: usize = 256;
    let start = &bytes[..bytes.len().min(BEGINNING) & !1];
    let zeros = |odd: usize| start.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let most = start.len() / 4;
    match (zeros(0), zeros(1)) {
        (0, low) if low > most => Some(UTF_16LE),
        (high, 0) if high > most => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether the bytes look like Windows-1252: none of the five that it leaves out, and, among the letters, fewer of its
/// upper half than of the lower. Cyrillic, Greek or Arabic letters in another 8-bit encoding are all in the upper half.
fn is_windows_1252(bytes: &[u8]) -> bool {
    let upper = bytes.iter().filter(|byte| **byte >= 0x80).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    upper <= letters && !bytes.iter().any(|byte| matches!(byte, 0x00 | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_however_it_is_encoded() {
        let text = "Nr.;Name\r\n1;Jörg Müller\r\n";
        let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
        };
        let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        for (bytes, guessed) in [
            (text.as_bytes().to_vec(), None),
            (format!("\u{feff}{text}").into_bytes(), None),
            (utf16(&[0xff, 0xfe], u16::to_le_bytes), None),
            (utf16(&[0xfe, 0xff], u16::to_be_bytes), None),
            (utf16(&[], u16::to_le_bytes), Some("UTF-16LE")),
            (utf16(&[], u16::to_be_bytes), Some("UTF-16BE")),
            (latin, Some("windows-1252")),
        ] {
            let decoded = decode(&bytes, None).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.guessed), (text, guessed));
        }
    }

    #[test]
    fn letters_that_cannot_be_told_are_no_names() {
        // "Фамилия;Имя" in Windows-1251: as Windows-1252 it would be a row of accents.
        let cyrillic = b"\xd4\xe0\xec\xe8\xeb\xe8\xff;\xc8\xec\xff;N\n\xc8\xe2\xe0\xed\xee\xe2;\xcf\xb8\xf2\xf0;1\n";
        let problem = decode(cyrillic, None).unwrap_err();
        assert!(problem.message.contains("CSV UTF-8"), "{problem}");
        assert!(decode(cyrillic, Some("windows-1251")).unwrap().text.starts_with("Фамилия;Имя"));
        assert!(decode(cyrillic, Some("utf-8")).unwrap_err().message.contains("is not UTF-8"));
        assert!(decode(cyrillic, Some("klingon")).unwrap_err().message.contains("klingon"));
        // A byte-order mark, and then something else.
        assert!(decode(b"\xef\xbb\xbfN\xff\n", None).is_err());
    }
}
