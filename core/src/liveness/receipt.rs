//! A signed receipt for an enrolment. Another program checks it with the public key alone.
//!
//! The receipt is a JSON Web Token signed with Ed25519 (RFC 7515, RFC 8037). Python (`PyJWT`) and Node (`jose`, or its
//! own `crypto`) read it unchanged. It names the student, the model, the time and the decision, and it carries a nonce
//! of the session: a program that takes receipts keeps the nonces and accepts each once.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::challenge::Order;
use super::pad::PadVerdict;
use crate::error::{Error, Result};
use crate::types::{ModelId, StudentId};

/// The contents of a receipt.
///
/// ```
/// use faceattend_core::liveness::{Receipt, ReceiptKey};
///
/// let key = ReceiptKey::generate();
/// assert!(Receipt::verify("no.token.here", &key.public_key_pem()).is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The student who was enrolled.
    pub student: StudentId,
    /// The model of the enrolled templates.
    pub model: ModelId,
    /// The time of issue, in whole seconds.
    pub issued_at: Timestamp,
    /// The session's liveness score, in [0, 1].
    pub liveness_score: f32,
    /// The order in which the session asked.
    pub order: Order,
    /// What came of the passive check.
    pub passive: PadVerdict,
    /// 32 hexadecimal digits, the same for every receipt of one session and for no other.
    pub nonce: String,
}

/// The claims, under their names in a token.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    jti: String,
    decision: String,
    model: ModelId,
    liveness_score: f32,
    order: Order,
    passive: PadVerdict,
}

/// Who issues.
const ISSUER: &str = "faceattend";
/// The one decision that is receipted.
const ENROLLED: &str = "enrolled";
/// The only header that is written and read, so that nobody chooses the algorithm but us.
const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT"}"#;
/// What stands before the 32 bytes of an Ed25519 key in its public key file (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The key that signs receipts. Its `Debug` shows nothing of it.
///
/// ```
/// use faceattend_core::liveness::ReceiptKey;
///
/// let key = ReceiptKey::generate();
/// assert!(key.public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----"));
/// assert_eq!(ReceiptKey::parse(&key.to_text())?.public_key_pem(), key.public_key_pem());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ReceiptKey(SigningKey);

impl fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptKey")
    }
}

impl ReceiptKey {
    /// Creates a fresh key from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        let mut hash = Sha256::new();
        // 122 random bits each.
        for _ in 0..3 {
            hash.update(Uuid::new_v4().as_bytes());
        }
        Self(SigningKey::from_bytes(&hash.finalize().into()))
    }

    /// Returns the key that [`Self::to_text`] wrote down.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless it is 32 bytes in base64.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = BASE64_STANDARD.decode(text.trim()).unwrap_or_default();
        let seed: [u8; 32] = bytes.try_into().map_err(|_| {
            Error::invalid_input("receipt key", "it must be 32 bytes in base64: leave it out for a new one")
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Returns the secret key, to be kept where only its owner reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64_STANDARD.encode(self.0.to_bytes())
    }

    /// Returns the public key as PEM, for whoever checks receipts.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        let der = [&SPKI_PREFIX[..], self.0.verifying_key().as_bytes()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64_STANDARD.encode(der))
    }

    /// Returns the receipt as a signed token.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON, which a receipt of a session always can.
    pub fn sign(&self, receipt: &Receipt) -> Result<String> {
        let claims = Claims {
            iss: ISSUER.into(),
            sub: receipt.student.to_string(),
            iat: receipt.issued_at.as_second(),
            jti: receipt.nonce.clone(),
            decision: ENROLLED.into(),
            model: receipt.model.clone(),
            liveness_score: receipt.liveness_score,
            order: receipt.order,
            passive: receipt.passive,
        };
        let claims = serde_json::to_vec(&claims)
            .map_err(|_| Error::Internal { reason: "a receipt cannot be written as JSON".into() })?;
        let signed = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(HEADER), BASE64_URL_SAFE_NO_PAD.encode(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()).to_bytes());
        Ok(format!("{signed}.{signature}"))
    }
}

impl Receipt {
    /// Returns the receipt in `token`, when the key of `public_key_pem` signed it. Whether its nonce was taken before
    /// is the caller's to know.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when the key is no Ed25519 public key, or the token is damaged or signed by another
    /// key.
    pub fn verify(token: &str, public_key_pem: &str) -> Result<Self> {
        let refuse = |reason: &str| Error::invalid_input("receipt", reason);
        let body: String = public_key_pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = BASE64_STANDARD.decode(body.trim()).unwrap_or_default();
        let key = der.strip_prefix(&SPKI_PREFIX[..]).and_then(|key| <[u8; 32]>::try_from(key).ok());
        let key = key
            .and_then(|key| VerifyingKey::from_bytes(&key).ok())
            .ok_or_else(|| refuse("the key is no Ed25519 public key"))?;

        let damaged = || refuse("it is no token");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(damaged)?;
        let (header, claims) = signed.split_once('.').ok_or_else(damaged)?;
        if header != BASE64_URL_SAFE_NO_PAD.encode(HEADER) {
            return Err(refuse("its header is not ours"));
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| damaged())?;
        let signature = Signature::from_slice(&signature).map_err(|_| damaged())?;
        key.verify_strict(signed.as_bytes(), &signature).map_err(|_| refuse("another key has signed it"))?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(|_| damaged())?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| damaged())?;
        if claims.iss != ISSUER || claims.decision != ENROLLED {
            return Err(refuse("it is for something else"));
        }
        Ok(Self {
            student: StudentId(claims.sub.parse().map_err(|_| damaged())?),
            model: claims.model,
            issued_at: Timestamp::from_second(claims.iat).map_err(|_| damaged())?,
            liveness_score: claims.liveness_score,
            order: claims.order,
            passive: claims.passive,
            nonce: claims.jti,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            student: StudentId(12),
            model: ModelId::new("some-model"),
            issued_at: "2026-03-02T08:00:00Z".parse().unwrap(),
            liveness_score: 0.75,
            order: Order::Random,
            passive: PadVerdict::Live,
            nonce: "00112233445566778899aabbccddeeff".into(),
        }
    }

    #[test]
    fn a_receipt_is_read_with_the_public_key_alone() {
        let key = ReceiptKey::generate();
        let token = key.sign(&receipt()).unwrap();
        assert_eq!(Receipt::verify(&token, &key.public_key_pem()).unwrap(), receipt());
        let again = ReceiptKey::parse(&key.to_text()).unwrap();
        assert_eq!(again.public_key_pem(), key.public_key_pem());
        assert_eq!(again.sign(&receipt()).unwrap(), token, "Ed25519 signs the same text alike");
    }

    #[test]
    fn one_changed_letter_or_another_key_is_refused() {
        let key = ReceiptKey::generate();
        let token = key.sign(&receipt()).unwrap();
        let other = ReceiptKey::generate().public_key_pem();
        assert!(Receipt::verify(&token, &other).unwrap_err().to_string().contains("another key"));
        // The last letter of a part in base64 may carry bits that mean nothing: those are no change.
        for at in (0..token.len() - 1).filter(|at| token.as_bytes()[*at] != b'.') {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(Receipt::verify(&changed, &key.public_key_pem()).is_err(), "letter {at}");
        }
        // "alg": "none", as forgers try.
        let (_, rest) = token.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let forged = format!("{}.{claims}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        assert!(Receipt::verify(&forged, &key.public_key_pem()).is_err());
        assert!(Receipt::verify("", &key.public_key_pem()).is_err() && Receipt::verify(&token, "").is_err());
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_debug_shows_nothing() {
        assert!(ReceiptKey::parse("AAAA").is_err() && ReceiptKey::parse("no base64!").is_err());
        let key = ReceiptKey::generate();
        assert!(!format!("{key:?}").contains(&key.to_text()));
    }
}
