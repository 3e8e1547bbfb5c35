//! Signed receipts of enrolments.

use faceattend_core::liveness::{Receipt as CoreReceipt, ReceiptKey as CoreKey};
use napi_derive::napi;

use super::options::Order;
use super::outcome::PassiveVerdict;
use crate::error::OrThrow as _;
use crate::time::{self, Date};

/// The contents of a receipt, as `JSON.stringify` writes them.
#[napi(object)]
pub struct ReceiptContents {
    pub student_id: i64,
    pub model: String,
    pub issued_at: Date,
    pub liveness_score: f64,
    pub order: Order,
    pub passive: PassiveVerdict,
    pub nonce: String,
}

/// What a receipt says: who was enrolled, by which model, when, and on what decision. `LivenessSession.receipt` makes
/// one, `ReceiptKey.sign` signs it, and `Receipt.verify` reads it again with the public key alone.
#[napi]
pub struct Receipt {
    inner: CoreReceipt,
}

#[napi]
impl Receipt {
    /// Returns the receipt in a signed token. Throws `invalid_input` when the key is no Ed25519 public key, or when the
    /// token is damaged or signed by another key. Whoever takes receipts also keeps the nonces taken, and takes each
    /// once.
    #[napi]
    pub fn verify(token: String, public_key_pem: String) -> napi::Result<Self> {
        CoreReceipt::verify(&token, &public_key_pem).map(Self::of).or_throw()
    }

    /// Who was enrolled.
    #[napi(getter)]
    pub fn student_id(&self) -> i64 {
        self.inner.student.0
    }

    /// The model of the enrolled templates.
    #[napi(getter)]
    pub fn model(&self) -> String {
        self.inner.model.to_string()
    }

    /// When the receipt was issued, in whole seconds.
    #[napi(getter)]
    pub fn issued_at(&self) -> Date {
        time::date(self.inner.issued_at)
    }

    /// The liveness score of the session, in [0, 1].
    #[napi(getter)]
    pub fn liveness_score(&self) -> f64 {
        self.inner.liveness_score.into()
    }

    /// The order in which the session asked.
    #[napi(getter)]
    pub fn order(&self) -> Order {
        self.inner.order.into()
    }

    /// What came of the passive check.
    #[napi(getter)]
    pub fn passive(&self) -> PassiveVerdict {
        self.inner.passive.into()
    }

    /// 32 hexadecimal digits: the same for every receipt of one session, and for no other.
    #[napi(getter)]
    pub fn nonce(&self) -> String {
        self.inner.nonce.clone()
    }

    /// Returns the contents as a plain object, for `JSON.stringify`.
    #[napi(js_name = "toJSON")]
    pub fn to_json(&self) -> ReceiptContents {
        ReceiptContents {
            student_id: self.student_id(),
            model: self.model(),
            issued_at: self.issued_at(),
            liveness_score: self.liveness_score(),
            order: self.order(),
            passive: self.passive(),
            nonce: self.nonce(),
        }
    }
}

impl Receipt {
    pub(super) fn of(inner: CoreReceipt) -> Self {
        Self { inner }
    }
}

/// The Ed25519 key that signs receipts. Keep it where only the program reads it, and hand out `publicKeyPem()`.
#[napi]
pub struct ReceiptKey {
    inner: CoreKey,
}

#[napi]
impl ReceiptKey {
    /// Returns a fresh key from the system's randomness.
    #[napi]
    pub fn generate() -> Self {
        Self { inner: CoreKey::generate() }
    }

    /// Returns the key that `toText` wrote: 32 bytes in base64. Throws `invalid_input` for any other text.
    #[napi]
    pub fn parse(text: String) -> napi::Result<Self> {
        CoreKey::parse(&text).map(|inner| Self { inner }).or_throw()
    }

    /// Returns the secret key as text.
    #[napi]
    pub fn to_text(&self) -> String {
        self.inner.to_text()
    }

    /// Returns the public key as PEM, for whoever checks receipts.
    #[napi]
    pub fn public_key_pem(&self) -> String {
        self.inner.public_key_pem()
    }

    /// Returns the receipt as a signed JSON Web Token (EdDSA), which `jose` and other libraries read too.
    #[napi]
    pub fn sign(&self, receipt: &Receipt) -> napi::Result<String> {
        self.inner.sign(&receipt.inner).or_throw()
    }
}
