//! A kiosk: a tablet at a gate that shows whom it greets.

use std::fmt;

use jiff::Timestamp;

use crate::gate::GatePolicy;

/// What an operator says of a kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KioskSettings {
    /// The name, unique without letter case.
    pub name: String,
    /// Where it stands: marks by it are of this place.
    pub location: Option<String>,
    /// What it asks of a face before its person is marked; `None` where the server's settings say it.
    pub gate: Option<GatePolicy>,
    /// Whether a greeting comes with a tone.
    pub tone: bool,
    /// Whether a greeting is spoken.
    pub speech: bool,
}

impl KioskSettings {
    /// Returns the settings of a silent kiosk of this name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), location: None, gate: None, tone: false, speech: false }
    }
}

/// The hash of a secret: of a code, of a token, or of the PIN of a supervisor. No `Debug` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash(String);

impl SecretHash {
    /// Returns the hash with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text of the hash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

/// A code that pairs one tablet, until its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCode {
    /// The hash of the code.
    pub hash: SecretHash,
    /// Until when a tablet may use it.
    pub until: Timestamp,
}

/// A kiosk to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKiosk {
    /// What the operator says of it.
    pub settings: KioskSettings,
    /// The hash of the supervisor's PIN; `None` where nobody is marked by one.
    pub pin: Option<SecretHash>,
    /// The code that its tablet may use.
    pub code: OpenCode,
    /// The name of the operator.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

/// A change to a kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KioskChange {
    /// What the operator says of it from now on.
    pub settings: KioskSettings,
    /// The hash of the supervisor's PIN from now on; the outer `None` leaves it as it is.
    pub pin: Option<Option<SecretHash>>,
    /// The name of the operator.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

/// A kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kiosk {
    /// The key. No other kiosk is ever given it.
    pub id: i64,
    /// What the operator says of it.
    pub settings: KioskSettings,
    /// The hash of the supervisor's PIN; `None` where nobody is marked by one.
    pub pin: Option<SecretHash>,
    /// Until when a tablet may use its code; `None` where no code is open.
    pub code_until: Option<Timestamp>,
    /// When its tablet was paired; `None` where it has none.
    pub paired_at: Option<Timestamp>,
    /// When its tablet was heard of last, to half a minute.
    pub last_seen_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Who added it.
    pub created_by: String,
    /// When its settings were changed last.
    pub changed_at: Timestamp,
    /// Who changed them.
    pub changed_by: String,
}
