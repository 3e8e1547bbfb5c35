//! The code that pairs a tablet.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::store::{OpenCode, SecretHash};

/// How long a code is good: time to walk to the gate.
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The letters and digits that nobody takes for another: no 0, O, 1, I, L and U.
const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many of them a code has: 39 bits, of which a guesser tries a hundred in an hour.
const LENGTH: usize = 8;

/// A code that an operator makes and somebody types into a tablet. It is good once.
///
/// ```
/// use faceattend_core::kiosk::PairingCode;
///
/// let code = PairingCode::parse("abcd efgh").expect("eight letters");
/// assert_eq!(code.to_string(), "ABCD-EFGH");
/// assert_eq!(PairingCode::parse("ABCD-EFG0"), None);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode(String);

impl PairingCode {
    /// Returns a fresh random code.
    #[must_use]
    pub fn random() -> Self {
        // The low 62 bits of a random UUID are all random (RFC 9562, 5.4).
        let mut rest = uuid::Uuid::new_v4().as_u128() & ((1 << 62) - 1);
        let mut code = String::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            code.push(char::from(ALPHABET[(rest % ALPHABET.len() as u128) as usize]));
            rest /= ALPHABET.len() as u128;
        }
        Self(code)
    }

    /// Returns the code that somebody typed, in any letter case, with spaces and hyphens anywhere; `None` for what is
    /// no code.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let letters = typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
        let code: String = letters.take(LENGTH + 1).map(|letter| letter.to_ascii_uppercase()).collect();
        let is_code = code.len() == LENGTH && code.bytes().all(|letter| ALPHABET.contains(&letter));
        is_code.then_some(Self(code))
    }

    /// Returns what a store keeps of it. A fast hash is enough: the code is good for minutes.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        let digest = Sha256::digest(self.0.as_bytes());
        SecretHash::new(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    /// Returns what a store keeps of a code that is open from `now` on.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> OpenCode {
        OpenCode { hash: self.hash(), until: now.saturating_add(CODE_LIFETIME).unwrap_or(now) }
    }
}

/// As people read it out: two groups of four.
impl std::fmt::Display for PairingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (left, right) = self.0.split_at(LENGTH / 2);
        write!(f, "{left}-{right}")
    }
}

impl std::fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairingCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = PairingCode::random();
        let shown = code.to_string();
        for typed in
            [shown.clone(), shown.replace('-', ""), shown.to_lowercase(), format!(" {}", shown.replace('-', " "))]
        {
            assert_eq!(PairingCode::parse(&typed).as_ref(), Some(&code), "{typed}");
        }
        for wrong in ["", "ABCD-EFG", "ABCD-EFGHJ", "ABCD-EFG0", "ABCD-EFGÄ", &"A".repeat(10_000)] {
            assert_eq!(PairingCode::parse(wrong), None, "{wrong}");
        }
        assert!(!format!("{code:?}").contains(&shown));
    }

    #[test]
    fn codes_differ_and_use_every_letter() {
        let codes: BTreeSet<String> = (0..200).map(|_| PairingCode::random().to_string()).collect();
        assert_eq!(codes.len(), 200);
        let letters: BTreeSet<char> = codes.iter().flat_map(|code| code.chars()).filter(|c| *c != '-').collect();
        assert_eq!(letters.len(), ALPHABET.len());
    }
}
