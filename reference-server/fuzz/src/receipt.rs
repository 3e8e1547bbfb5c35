//! Signed receipts.
//!
//! - A token is accepted only if it is, letter for letter, what the key signs for the receipt that it gives.
//! - A receipt that was signed reads back as it was; changed anywhere, or under another key, it does not.

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use faceattend_core::liveness::{Receipt, ReceiptKey, SessionState};
use faceattend_core::types::{ModelId, StudentId};
use faceattend_core::{LivenessSession, Timestamp};

use crate::memory::within;
use crate::session_state::completed_state;

/// What a receipt may take beyond its token.
const MEMORY: usize = 1 << 20;

/// The key that signs, so that an input finds the same again.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ANOTHER_KEY: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Keys {
    key: ReceiptKey,
    public: String,
    anothers: String,
    receipt: Receipt,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let parse = |text| ReceiptKey::parse(text).expect("a key");
        let state: SessionState = serde_json::from_value(completed_state()).expect("a state");
        let session = LivenessSession::from_state(state).expect("of this version");
        let receipt = session.receipt(StudentId(7), Timestamp::UNIX_EPOCH).expect("a completed session");
        let key = parse(KEY);
        Keys { public: key.public_key_pem(), anothers: parse(ANOTHER_KEY).public_key_pem(), key, receipt }
    })
}

/// Reads `data` as a token, as the claims of one, and as a receipt that is changed after it was signed.
pub fn check(data: &[u8]) {
    let Keys { key, public, anothers, .. } = keys();
    let text = String::from_utf8_lossy(data);
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
    let claims = format!("{header}.{}.{}", BASE64_URL_SAFE_NO_PAD.encode(data), "A".repeat(86));
    for token in [&*text, &claims] {
        if let Ok(receipt) = within(16 * token.len() + MEMORY, || Receipt::verify(token, public)) {
            assert_eq!(key.sign(&receipt).ok().as_deref(), Some(token));
            assert!(Receipt::verify(token, anothers).is_err());
        }
        // A key that is none.
        assert!(Receipt::verify(token, &text).is_err());
    }
    // A receipt needs more bytes than there are: nothing to try.
    let _ = changed(&mut Unstructured::new(data));
}

fn changed(from: &mut Unstructured<'_>) -> Result<()> {
    let Keys { key, public, anothers, receipt } = keys();
    let mut receipt = receipt.clone();
    receipt.student = StudentId(from.arbitrary()?);
    receipt.issued_at = Timestamp::from_second(i64::from(from.arbitrary::<i32>()?)).expect("a time of this age");
    receipt.liveness_score = f32::from(from.arbitrary::<u16>()?) / f32::from(u16::MAX);
    receipt.model = ModelId::new(from.arbitrary::<&str>()?);
    receipt.nonce = from.arbitrary()?;
    let token = key.sign(&receipt).expect("a receipt can be written");
    assert_eq!(Receipt::verify(&token, public).ok().as_ref(), Some(&receipt), "{token}");
    assert!(Receipt::verify(&token, anothers).is_err());

    let mut letters = token.clone().into_bytes();
    match from.int_in_range(0..=2)? {
        0 => letters.truncate(from.choose_index(letters.len())?),
        1 => letters.insert(from.choose_index(letters.len() + 1)?, from.int_in_range(b' '..=b'~')?),
        _ => {
            let at = from.choose_index(letters.len())?;
            letters[at] = from.int_in_range(b' '..=b'~')?;
        }
    }
    let altered = String::from_utf8_lossy(&letters);
    assert!(altered == token || Receipt::verify(&altered, public).is_err(), "{altered} for {token}");
    Ok(())
}

#[cfg(test)]
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let Keys { key, public, receipt, .. } = keys();
    let token = key.sign(receipt).expect("a receipt can be written");
    let claims = token.split('.').nth(1).and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims).ok());
    vec![
        ("token", token.into_bytes()),
        ("claims", claims.expect("claims")),
        ("public-key", public.clone().into_bytes()),
        ("another-algorithm", b"eyJhbGciOiJub25lIn0.e30.".to_vec()),
        ("fields", (0..64).collect()),
    ]
}
