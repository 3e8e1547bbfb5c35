//! Rules of notices to people and systems, and the channels that carry them.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// What a rule waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertEvent {
    /// A student was marked, in time or late.
    Marked,
    /// A student was marked late.
    Late,
    /// A student who was expected was not there at a time of the day.
    Absent,
    /// A student was seen leaving for the first time.
    Left,
    /// A student left before the time.
    LeftEarly,
    /// A camera saw signs of a photograph or a replay.
    SpoofSuspected,
    /// A camera has given no pictures for some minutes.
    CameraDown,
}

impl AlertEvent {
    /// Every event.
    pub const ALL: [Self; 7] =
        [Self::Marked, Self::Late, Self::Absent, Self::Left, Self::LeftEarly, Self::SpoofSuspected, Self::CameraDown];

    /// Returns the code in the database, the API and a webhook.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marked => "marked",
            Self::Late => "late",
            Self::Absent => "absent",
            Self::Left => "left",
            Self::LeftEarly => "left_early",
            Self::SpoofSuspected => "spoof_suspected",
            Self::CameraDown => "camera_down",
        }
    }

    /// Returns the event with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == code)
    }

    /// Returns whether it is about a student.
    #[must_use]
    pub fn is_of_a_student(self) -> bool {
        self != Self::CameraDown
    }
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// It begins plain and must go over to TLS (STARTTLS, RFC 3207), usually at port 587.
    #[default]
    StartTls,
    /// It is TLS from the beginning (RFC 8314), usually at port 465.
    Tls,
    /// It is not. Only without a login, for a mail server of this machine or of the operator's own network.
    Plain,
}

impl MailSecurity {
    /// Returns the code in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "start_tls",
            Self::Tls => "tls",
            Self::Plain => "plain",
        }
    }
}

/// Where a channel leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AlertChannelSettings {
    /// A POST of JSON, signed with the secret of the channel.
    Webhook {
        /// The address, with `http` or `https`. It holds no password: the signature proves the sender.
        url: String,
    },
    /// Letters through a mail server.
    Email {
        /// The name or address of the mail server.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is encrypted.
        security: MailSecurity,
        /// The name to log in with; the secret of the channel is its password. `None` for no login.
        user: Option<String>,
        /// The sender, such as `School <office@school.example>`.
        from: String,
        /// What happens within so many minutes goes to a recipient as one letter; 0 for a letter at once.
        window_minutes: u16,
    },
}

impl AlertChannelSettings {
    /// Returns the code of its kind: `webhook` or `email`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Email { .. } => "email",
        }
    }
}

/// The secret of a channel: what signs a webhook, or the password of a mail server. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum AlertSecret {
    /// There is none.
    None,
    /// It can be used.
    Known(String),
    /// It cannot be read, for this reason.
    Locked(String),
}

impl fmt::Debug for AlertSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Known(_) => f.write_str("Known(***)"),
            Self::Locked(reason) => write!(f, "Locked({reason:?})"),
        }
    }
}

/// A channel as somebody wants it. `Debug` does not show the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAlertChannel {
    /// The name by which people know it, unique but for letter case.
    pub name: String,
    /// Where it leads.
    pub settings: AlertChannelSettings,
    /// The secret; `None` keeps the one that is there, as long as the channel leads to the same host and user.
    pub secret: Option<String>,
    /// Whether nothing is sent for now. What is to be sent waits.
    pub paused: bool,
    /// Who wants it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl fmt::Debug for NewAlertChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewAlertChannel({:?}, {:?})", self.name, self.settings)
    }
}

/// A channel that carries notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertChannel {
    /// The key of its row. No other channel is ever given it.
    pub id: i64,
    /// The name by which people know it.
    pub name: String,
    /// Where it leads.
    pub settings: AlertChannelSettings,
    /// Its secret.
    pub secret: AlertSecret,
    /// Whether nothing is sent for now.
    pub paused: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// Who added it.
    pub created_by: String,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}

/// What a rule says beside its event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRuleSettings {
    /// The groups of students that it is about; `None` for everybody.
    #[serde(default)]
    pub groups: Option<Vec<i64>>,
    /// The channels that carry it, by id.
    pub channels: Vec<i64>,
    /// The addresses that e-mail channels send to, a letter to each.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Whether e-mail channels also send to the guardians of the student.
    #[serde(default)]
    pub guardians: bool,
    /// The language of letters to `addresses`, as the pages call it, such as `en`.
    pub language: String,
    /// The time of the site's day at which it is asked who is absent.
    #[serde(default)]
    pub at: Option<Time>,
    /// For how many minutes a camera must be down.
    #[serde(default)]
    pub after_minutes: Option<u16>,
}

/// A rule as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlertRule {
    /// The name by which people know it.
    pub name: String,
    /// What it waits for.
    pub event: AlertEvent,
    /// What it says beside that.
    pub settings: AlertRuleSettings,
    /// Whether it is ignored for now.
    pub paused: bool,
    /// Who wants it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A rule: which event leads to notices over which channels, to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRule {
    /// The key of its row. No other rule is ever given it.
    pub id: i64,
    /// The name by which people know it.
    pub name: String,
    /// What it waits for.
    pub event: AlertEvent,
    /// What it says beside that.
    pub settings: AlertRuleSettings,
    /// Whether it is ignored for now.
    pub paused: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// Who added it.
    pub created_by: String,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}
