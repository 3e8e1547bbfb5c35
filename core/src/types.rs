//! The values of the field: each is parsed once and carries its proof.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An angle in degrees. Yaw is positive when the nose points to the right edge of the image as received, pitch is
/// positive upwards, roll is positive clockwise as seen.
///
/// ```
/// use faceattend_core::types::Degrees;
///
/// assert_eq!(Degrees(-12.34).to_string(), "-12.3°");
/// assert!(Degrees(20.0) > Degrees(15.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Degrees(pub f32);

impl fmt::Display for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}°", self.0)
    }
}

/// A raw cosine between two unit vectors, in [-1, 1]. Its scale differs from model to model; compare [`Similarity`].
///
/// ```
/// use faceattend_core::embedding::Calibration;
/// use faceattend_core::types::Cosine;
///
/// // The same cosine is another similarity for another model.
/// assert_eq!(Calibration::arcface().similarity(Cosine(0.4)).value(), 0.7);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cosine(pub f32);

/// The similarity of two faces, in [0, 1], on the scale of every threshold, option and answer of this library:
/// (cosine + 1) / 2 for ArcFace-class models, calibrated to the same false match rate for the others.
///
/// ```
/// use faceattend_core::Similarity;
///
/// assert_eq!(Similarity::new(0.82).value(), 0.82);
/// // A measurement that went wrong matches nobody.
/// assert_eq!(Similarity::new(f32::NAN).value(), 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Similarity(f32);

impl Similarity {
    /// Creates a similarity, clamped into [0, 1]; a NaN becomes 0, the answer that matches nobody.
    #[must_use]
    pub fn new(value: f32) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// Returns the value in [0, 1].
    #[must_use]
    pub fn value(self) -> f32 {
        self.0
    }
}

/// The least similarity of two faces that count as one person.
///
/// ```
/// use faceattend_core::{Similarity, Threshold};
///
/// assert!(Threshold::DOCUMENTED.admits(Similarity::new(0.71)));
/// assert!(!Threshold::new(0.8)?.admits(Similarity::new(0.71)));
/// assert!(Threshold::new(1.5).is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Threshold(f32);

impl Threshold {
    /// 0.7 on the similarity scale: cosine 0.40 for ArcFace-class models, where 6,000 LFW pairs gave a true accept
    /// rate of 0.984 at a false accept rate of 5e-5.
    pub const DOCUMENTED: Self = Self(0.7);

    /// 0.65: for views of one person turned against each other, in one liveness session. The figures are with
    /// [`crate::liveness::LivenessOptions::same_person`].
    pub const ACROSS_TURNS: Self = Self(0.65);

    /// Creates a threshold.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] unless `value` lies in [0, 1].
    pub fn new(value: f32) -> Result<Self> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(Error::invalid_input("threshold", format!("{value} is not between 0 and 1")))
        }
    }

    /// Returns the value in [0, 1].
    #[must_use]
    pub fn value(self) -> f32 {
        self.0
    }

    /// Returns whether `similarity` reaches this threshold.
    ///
    /// ```
    /// use faceattend_core::{Similarity, Threshold};
    ///
    /// let threshold = Threshold::new(0.7)?;
    /// assert!(threshold.admits(Similarity::new(0.7)));
    /// assert!(!threshold.admits(Similarity::new(0.69)));
    /// # Ok::<(), faceattend_core::Error>(())
    /// ```
    #[must_use]
    pub fn admits(self, similarity: Similarity) -> bool {
        similarity.0 >= self.0
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self::DOCUMENTED
    }
}

impl TryFrom<f32> for Threshold {
    type Error = Error;

    fn try_from(value: f32) -> Result<Self> {
        Self::new(value)
    }
}

impl From<Threshold> for f32 {
    fn from(threshold: Threshold) -> Self {
        threshold.0
    }
}

/// Which model made an embedding. Two embeddings are comparable only when their ids are equal.
///
/// ```
/// use faceattend_core::ModelId;
///
/// let model = ModelId::new("sface@b41a9c4a");
/// assert_eq!(model.as_str(), "sface@b41a9c4a");
/// assert_ne!(model, ModelId::new("arcface@00000000"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelId(Arc<str>);

impl ModelId {
    /// Creates an id, as the manifest names it or as derived from a file's hash.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelId({})", self.0)
    }
}

/// A student's key in the store.
///
/// ```
/// use faceattend_core::StudentId;
///
/// assert_eq!(StudentId(7).to_string(), "7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StudentId(pub i64);

impl fmt::Display for StudentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A liveness session's key: a random UUID, so that it cannot be guessed.
///
/// ```
/// use faceattend_core::SessionId;
///
/// let id = SessionId::random();
/// assert_eq!(SessionId::parse(&id.to_string()), Some(id));
/// assert_eq!(SessionId::parse("7"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(uuid::Uuid);

impl SessionId {
    /// Creates a fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }

    /// Reads the id that `text` spells, or `None` when it spells none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        uuid::Uuid::parse_str(text).ok().map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A range of addresses of the network, or one address.
///
/// ```
/// use faceattend_core::types::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.holds("10.1.2.3".parse().unwrap()));
/// assert_eq!("2001:db8::7".parse::<Network>()?.to_string(), "2001:db8::7");
/// # Ok::<(), faceattend_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Returns whether the address is in the range. An address of IPv4 is the same written as one of IPv6.
    #[must_use]
    pub fn holds(&self, other: IpAddr) -> bool {
        let bits = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 4),
            IpAddr::V6(v6) => (v6.to_bits(), 6),
        };
        let ((ours, kind), (theirs, other_kind)) = (bits(self.address), bits(other));
        // Shifting by all 128 bits is none that Rust does.
        let differing = (ours ^ theirs).checked_shr(128 - u32::from(self.prefix)).unwrap_or(0);
        kind == other_kind && differing == 0
    }

    /// The prefix of a range that is one address.
    fn whole(address: IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid_input("network", format!("{text} is no address and no range such as 10.0.0.0/8"));
        let (address, prefix) = text.trim().split_once('/').map_or((text.trim(), None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let whole = Self::whole(address);
        let prefix = prefix.map_or(Ok(whole), |prefix| prefix.parse().map_err(|_| wrong()))?;
        if prefix > whole { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, prefix } = self;
        if *prefix == Self::whole(*address) { write!(f, "{address}") } else { write!(f, "{address}/{prefix}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similarity_that_is_no_number_matches_nobody() {
        assert!(!Threshold::DOCUMENTED.admits(Similarity::new(f32::NAN)));
    }

    #[test]
    fn a_threshold_outside_the_scale_is_refused() {
        for bad in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
            assert!(Threshold::new(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Threshold>("1.5").is_err());
    }

    #[test]
    fn ranges_are_addresses_and_prefixes() {
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "localhost", "10.0.0.0/x"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.holds("203.0.113.9".parse().unwrap()) && !all.holds("::1".parse().unwrap()));
        let one: Network = "10.0.0.1".parse().unwrap();
        assert!(one.holds("10.0.0.1".parse().unwrap()) && !one.holds("10.0.0.2".parse().unwrap()));
    }
}
