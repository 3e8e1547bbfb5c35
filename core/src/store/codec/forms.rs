//! How a value lies in its column: plain, sealed with a key, or broken.

use std::collections::BTreeMap;

use super::key::{ID_BYTES, KeyId};

/// The beginning of sealed text: the word, and the version of the form.
pub(super) const TEXT_MARK: &str = "sealed:1:";

/// The beginning of sealed bytes.
pub(super) const BYTES_MARK: &[u8] = b"sealed\x01";

/// 96 bits, random for every value: safe for 2^32 values under one key (NIST SP 800-38D, 8.3), which at a hundred
/// writes a second is sixteen months of nothing else.
pub(super) const NONCE_BYTES: usize = 12;

pub(super) const TAG_BYTES: usize = 16;

/// How many values that hold a face are plain and sealed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateForms {
    /// The number of plain values.
    pub plain: u64,
    /// The number of sealed values for each key.
    pub sealed: BTreeMap<KeyId, u64>,
    /// The number of values that begin like sealed ones and are not.
    pub broken: u64,
}

impl TemplateForms {
    /// Counts one more.
    pub(in crate::store) fn add(&mut self, form: Form) {
        match form {
            Form::Plain => self.plain += 1,
            Form::Sealed(id) => *self.sealed.entry(id).or_default() += 1,
            Form::Broken => self.broken += 1,
        }
    }
}

/// The result of [`Privacy::reseal_templates`](crate::store::Privacy::reseal_templates).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Rows (students with their templates, liveness sessions) that were brought into the form.
    pub changed: u64,
    /// Rows that had it already.
    pub unchanged: u64,
    /// Rows that were left as they are, because something in them is damaged: table and key.
    pub damaged: Vec<String>,
}

/// The form of a value in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) enum Form {
    Plain,
    Sealed(KeyId),
    /// The value begins like a sealed one and is not.
    Broken,
}

/// As much of a value's beginning as tells its form, in bytes, for either kind of column.
#[cfg(feature = "postgres")]
pub(in crate::store) const HEAD_BYTES: usize = TEXT_MARK.len() + 2 * ID_BYTES + 1;

/// Returns the form of the bytes of a column.
pub(in crate::store) fn form_of_bytes(stored: &[u8]) -> Form {
    form_of_head(stored, stored.len())
}

/// Returns the form of the bytes of a column, of which there are `length`, by the first of them.
pub(in crate::store) fn form_of_head(head: &[u8], length: usize) -> Form {
    let Some(rest) = head.strip_prefix(BYTES_MARK) else { return Form::Plain };
    // Eight bytes like the mark can be two numbers of a plain vector; then their count is a multiple of four, which
    // that of sealed numbers never is.
    if length.is_multiple_of(4) {
        return Form::Plain;
    }
    match rest.first_chunk() {
        Some(id) if length >= BYTES_MARK.len() + ID_BYTES + NONCE_BYTES + TAG_BYTES => Form::Sealed(KeyId(*id)),
        _ => Form::Broken,
    }
}

/// Returns the form of the text of a column.
pub(in crate::store) fn form_of_text(stored: &str) -> Form {
    let Some(rest) = stored.strip_prefix(TEXT_MARK) else { return Form::Plain };
    rest.split_once(':').and_then(|(id, _)| KeyId::parse(id)).map_or(Form::Broken, Form::Sealed)
}
