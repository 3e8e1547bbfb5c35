//! Signed receipts of enrolments.

use faceattend_core::liveness::{Receipt as CoreReceipt, ReceiptKey as CoreKey};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::gil::attached;
use crate::time::datetime;

/// What a receipt says: who was enrolled, by which model, when, and on what decision.
///
/// ``LivenessSession.receipt`` makes one, ``ReceiptKey.sign`` signs it, and ``Receipt.verify`` reads it again with the
/// public key alone.
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct Receipt(pub(super) CoreReceipt);

#[pymethods]
impl Receipt {
    /// Returns the receipt in a signed token. Whoever takes receipts also keeps the nonces taken, and takes each once.
    ///
    /// Parameters
    /// ----------
    /// token : str
    ///     A JSON Web Token that ``ReceiptKey.sign`` made.
    /// public_key_pem : str
    ///     The public key as PEM, as ``ReceiptKey.public_key_pem`` returns it.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     When the key is no Ed25519 public key, or when the token is damaged or signed by another key.
    #[classmethod]
    fn verify(cls: &Bound<'_, PyType>, token: &str, public_key_pem: &str) -> PyResult<Self> {
        attached(cls.py(), || CoreReceipt::verify(token, public_key_pem)).map(Self)
    }

    /// The id of the student who was enrolled.
    #[getter]
    fn student_id(&self) -> i64 {
        self.0.student.0
    }

    /// The model of the enrolled templates.
    #[getter]
    fn model(&self) -> &str {
        self.0.model.as_str()
    }

    /// When the receipt was issued, in UTC, in whole seconds.
    #[getter]
    fn issued_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.issued_at)
    }

    /// The liveness score of the session, in [0, 1].
    #[getter]
    fn liveness_score(&self) -> f32 {
        self.0.liveness_score
    }

    /// The order in which the session asked: ``"any"``, ``"fixed"`` or ``"random"``.
    #[getter]
    fn order(&self) -> &'static str {
        super::order(self.0.order)
    }

    /// What came of the passive check: ``"off"``, ``"not_run"``, ``"live"`` or ``"spoof"``.
    #[getter]
    fn passive(&self) -> &'static str {
        self.0.passive.as_str()
    }

    /// 32 hexadecimal digits: the same for every receipt of one session, and for no other.
    #[getter]
    fn nonce(&self) -> &str {
        &self.0.nonce
    }

    /// Returns the receipt as a dictionary that ``json.dumps`` takes.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("student_id", self.student_id())?;
        dict.set_item("model", self.model())?;
        dict.set_item("issued_at", self.0.issued_at.to_string())?;
        dict.set_item("liveness_score", self.liveness_score())?;
        dict.set_item("order", self.order())?;
        dict.set_item("passive", self.passive())?;
        dict.set_item("nonce", self.nonce())?;
        Ok(dict)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.0 == other.get().0)
    }

    fn __repr__(&self) -> String {
        format!("Receipt(student_id={}, issued_at={})", self.0.student, self.0.issued_at)
    }
}

/// The Ed25519 key that signs receipts. Neither ``repr`` nor ``str`` shows it.
///
/// Keep it where only the program reads it; hand out ``public_key_pem``.
///
/// Examples
/// --------
/// >>> key = faceattend.ReceiptKey.generate()
/// >>> token = key.sign(session.receipt(student.id))                  # doctest: +SKIP
/// >>> faceattend.Receipt.verify(token, key.public_key_pem()).student_id  # doctest: +SKIP
#[pyclass(module = "faceattend", frozen)]
pub(crate) struct ReceiptKey(CoreKey);

#[pymethods]
impl ReceiptKey {
    /// Returns a fresh key from the system's randomness.
    #[classmethod]
    fn generate(_cls: &Bound<'_, PyType>) -> Self {
        Self(CoreKey::generate())
    }

    /// Returns the key that ``to_text`` wrote.
    ///
    /// Parameters
    /// ----------
    /// text : str
    ///     32 bytes in base64.
    ///
    /// Raises
    /// ------
    /// InvalidInputError
    ///     For any other text.
    #[classmethod]
    fn parse(cls: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        attached(cls.py(), || CoreKey::parse(text)).map(Self)
    }

    /// Returns the secret key as text: 32 bytes in base64.
    fn to_text(&self) -> String {
        self.0.to_text()
    }

    /// Returns the public key as PEM, for whoever checks receipts.
    fn public_key_pem(&self) -> String {
        self.0.public_key_pem()
    }

    /// Returns the receipt as a signed JSON Web Token (EdDSA), which PyJWT and other libraries read too.
    fn sign(&self, py: Python<'_>, receipt: &Receipt) -> PyResult<String> {
        attached(py, || self.0.sign(&receipt.0))
    }

    fn __repr__(&self) -> &'static str {
        "<faceattend.ReceiptKey>"
    }
}
