//! A secret in an address, and the search for it in what is shown.

use arbitrary::{Result, Unstructured};

/// The secret. No part of an address that is made here holds it otherwise.
pub(crate) const SECRET: &str = "S3CRET";

/// Returns a short text of letters that are special in an address, and of any others.
pub(crate) fn noise(from: &mut Unstructured<'_>) -> Result<String> {
    const SPECIAL: &[u8] = b"@:/?#&=;%+-_. a0";
    let length = from.int_in_range(0..=6)?;
    let letters = (0..length).map(|_| {
        let letter = from.arbitrary::<u8>()?;
        Ok(match SPECIAL.get(usize::from(letter)) {
            Some(special) => char::from(*special),
            None => from.arbitrary()?,
        })
    });
    letters.collect()
}

/// Returns the secret in noise that does not end a value: without `separators`.
pub(crate) fn value(from: &mut Unstructured<'_>, separators: &[char]) -> Result<String> {
    let (before, after) = (noise(from)?, noise(from)?);
    Ok(format!("{}{SECRET}{}", before.replace(separators, ""), after.replace(separators, "")))
}

/// Returns `name` in letters of either case.
pub(crate) fn in_any_case(from: &mut Unstructured<'_>, name: &str) -> Result<String> {
    name.chars().map(|letter| Ok(if from.arbitrary()? { letter.to_ascii_uppercase() } else { letter })).collect()
}

/// Panics when `shown` holds the secret.
pub(crate) fn must_not_be_in(shown: &str, address: &str) {
    assert!(!shown.contains(SECRET), "{address:?} is shown as {shown:?}");
}
