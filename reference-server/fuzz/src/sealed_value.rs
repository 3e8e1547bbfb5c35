//! Faces encrypted at rest.
//!
//! - A sealed value opens to what was sealed, where it was sealed, with a key that sealed it.
//! - It opens nowhere else: not in another column, for another owner, or for another model; and with no other key.
//! - Changed anywhere, it does not open. Bytes that nobody sealed never do, plain ones neither.
//! - Keys that are read are the keys that were written.

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use faceattend_core::internals::{Opened, Stored, opened, sealed};
use faceattend_core::store::{FaceColumn, SealContext, TemplateKeys};

use crate::memory::within;

/// What opening may take beyond a multiple of the value.
const MEMORY: usize = 1 << 20;

const COLUMNS: &[FaceColumn] = &[
    FaceColumn::StudentFaceEmbedding,
    FaceColumn::StudentEmbeddingVector,
    FaceColumn::TemplateEmbedding,
    FaceColumn::SessionState,
    FaceColumn::SessionCenterEmbedding,
    FaceColumn::SessionLeftEmbedding,
    FaceColumn::SessionRightEmbedding,
    FaceColumn::SessionFinalEmbedding,
    FaceColumn::SessionCenterFrame,
    FaceColumn::SessionLeftFrame,
    FaceColumn::SessionRightFrame,
    FaceColumn::CameraSecret,
];

struct Keys {
    ours: TemplateKeys,
    others: TemplateKeys,
    both: TemplateKeys,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let parse = |text: &str| TemplateKeys::parse(text).expect("a key");
        let (ours, others) =
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        Keys { ours: parse(ours), others: parse(others), both: parse(&format!("{others} {ours}")) }
    })
}

/// Reads `data` as a stored value and as a file of keys, and seals and changes a value that is made of it.
pub fn check(data: &[u8]) {
    let ours = &keys().ours;
    let text = String::from_utf8_lossy(data);
    let context = SealContext::new(FaceColumn::TemplateEmbedding, 1);
    for stored in [Stored::Bytes(data.to_vec()), Stored::Text(text.clone().into_owned())] {
        let opened = within(8 * data.len() + MEMORY, || opened(ours, &context, &stored));
        assert!(matches!(opened, Opened::Refused | Opened::NoKey), "nobody sealed {stored:?}");
    }
    if let Ok(read) = TemplateKeys::parse(&text) {
        assert!(!read.ids().is_empty() && read.sealing_key() == read.ids().first().copied());
        assert!(!format!("{read:?}").contains(text.trim()));
    }
    // A value needs more bytes than there are: nothing to try.
    let _ = sealed_and_changed(&mut Unstructured::new(data));
}

fn context(from: &mut Unstructured<'_>) -> Result<SealContext> {
    let column = *from.choose(COLUMNS)?;
    let owner: i64 = from.int_in_range(1..=3)?;
    let model = from.arbitrary::<Option<&str>>()?.filter(|model| !model.is_empty());
    Ok(SealContext::new(column, owner).of_model(model))
}

fn sealed_and_changed(from: &mut Unstructured<'_>) -> Result<()> {
    let Keys { ours, others, both } = keys();
    let (place, elsewhere) = (context(from)?, context(from)?);
    let plain = if from.arbitrary()? {
        Stored::Text(from.arbitrary()?)
    } else {
        // A vector of numbers of four bytes: what a column of bytes holds.
        let length = from.int_in_range(0..=16)? * 4;
        Stored::Bytes(from.bytes(length.min(from.len() / 4 * 4))?.to_vec())
    };
    let stored = sealed(ours, &place, &plain).expect("a build with a cipher");
    let read = opened(ours, &place, &stored);
    assert_eq!(read, Opened::Sealed(plain), "in {place:?}");
    assert!(elsewhere == place || opened(ours, &elsewhere, &stored) == Opened::Refused, "{place:?} in {elsewhere:?}");
    assert_eq!(opened(others, &place, &stored), Opened::NoKey);
    assert_eq!(opened(&TemplateKeys::none(), &place, &stored), Opened::NoKey);
    assert_eq!(opened(both, &place, &stored), read);

    let altered = match &stored {
        Stored::Bytes(bytes) => Stored::Bytes(altered(from, bytes.clone())?),
        // A letter of another alphabet is no base64: only such changes are tried that leave text.
        Stored::Text(text) => {
            let letters = altered(from, text.clone().into_bytes())?;
            Stored::Text(String::from_utf8_lossy(&letters).into_owned())
        }
    };
    let read = opened(ours, &place, &altered);
    assert!(altered == stored || matches!(read, Opened::Refused | Opened::NoKey), "{altered:?} for {stored:?}");
    Ok(())
}

/// Returns `bytes` cut off, longer, or with one byte changed.
fn altered(from: &mut Unstructured<'_>, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    match from.int_in_range(0..=2)? {
        0 => bytes.truncate(from.choose_index(bytes.len())?),
        1 => bytes.insert(from.choose_index(bytes.len() + 1)?, from.arbitrary()?),
        _ => {
            let at = from.choose_index(bytes.len())?;
            bytes[at] = from.arbitrary()?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain-bytes", [1.0f32, 0.5, -0.5].iter().flat_map(|number| number.to_le_bytes()).collect()),
        ("plain-text", b"[0.6, 0.8]".to_vec()),
        ("like-sealed-text", b"sealed:1:0123456789abcdef:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_vec()),
        ("like-sealed-bytes", [&b"sealed\x01"[..], &[7; 8 + 12 + 16 + 8]].concat()),
        ("keys", b"# one\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=, # no other\n".to_vec()),
        ("fields", (0..96).collect()),
    ]
}
