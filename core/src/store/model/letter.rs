//! What is to be sent, and what has become of it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::alert::{AlertChannel, AlertEvent};
use crate::types::StudentId;

/// What a notice tells, as a webhook has it under `data`. What does not belong to the event is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertFacts {
    /// The name of the rule.
    pub rule: String,
    /// The student.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub student_id: Option<i64>,
    /// The student's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub student_name: Option<String>,
    /// The student's roll number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub roll_number: Option<String>,
    /// The row of attendance.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attendance_id: Option<i64>,
    /// The status of the row, such as `Late`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
    /// The day of the site.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub day: Option<Date>,
    /// The part of the day.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub period: Option<String>,
    /// The location of the camera.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub camera_location: Option<String>,
    /// The entry of the second-look list.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub second_look_id: Option<i64>,
    /// The camera that is down.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub camera_id: Option<i64>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub camera: Option<String>,
}

/// One event for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertMessage {
    /// The event.
    pub event: AlertEvent,
    /// When it happened.
    pub happened_at: Timestamp,
    /// What there is to tell.
    pub facts: AlertFacts,
}

/// To whom a letter goes.
#[derive(Clone, PartialEq, Eq)]
pub enum LetterRecipient {
    /// The system at the address of the webhook.
    System,
    /// A person at this e-mail address.
    Person(String),
}

/// An address is personal data: it is not shown.
impl std::fmt::Debug for LetterRecipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Person(_) => "Person(***)",
        })
    }
}

/// A letter that a server has taken to send: a webhook's single event, or a digest of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id, the same in every try, and of no other letter.
    pub id: String,
    /// The channel that carries it.
    pub channel: AlertChannel,
    /// To whom it goes.
    pub recipient: LetterRecipient,
    /// Its language, as the pages call it.
    pub language: String,
    /// What it tells, oldest first; at least one.
    pub messages: Vec<AlertMessage>,
    /// The number of this try, from 1.
    pub tries: u32,
}

/// What has become of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LetterState {
    /// It waits to be sent, for the first time or again.
    Waiting,
    /// It was sent.
    Sent,
    /// It was given up.
    Dead,
    /// It was not needed any more when its turn came: the student came, or the recipient was removed.
    Withdrawn,
}

impl LetterState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Dead, Self::Withdrawn];

    /// Returns the code in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Returns the state with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == code)
    }
}

/// A row of the outbox, as a list shows it. It names the recipient only where that is one of the rule's own addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The key of the row.
    pub id: i64,
    /// The id of the letter that carries it, or will carry it alone.
    pub letter: String,
    /// The rule.
    pub rule: i64,
    /// The channel.
    pub channel: i64,
    /// Whether it goes to a guardian of the student.
    pub to_guardian: bool,
    /// The student whom it is about.
    pub student: Option<StudentId>,
    /// What it tells.
    pub message: AlertMessage,
    /// When it was written.
    pub written_at: Timestamp,
    /// When it is sent, or tried again.
    pub due_at: Timestamp,
    /// What has become of it.
    pub state: LetterState,
    /// How often it was tried.
    pub tries: u32,
    /// What went wrong in the last try.
    pub last_error: Option<String>,
    /// When it came into its final state.
    pub done_at: Option<Timestamp>,
}

/// A filter of the outbox; `None` lets every row pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxFilter {
    /// Only rows in this state.
    pub state: Option<LetterState>,
    /// Only rows of this channel.
    pub channel: Option<i64>,
}

/// How a try ended that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTry {
    /// What went wrong, without a secret and without an address of a person.
    pub error: String,
    /// When it is tried again; `None` gives it up.
    pub again_at: Option<Timestamp>,
}

/// How it stands with the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxState {
    /// Rows that wait.
    pub waiting: u64,
    /// When the oldest of them was written, paused channels left out.
    pub waiting_since: Option<Timestamp>,
    /// Rows that were given up.
    pub dead: u64,
    /// Rows that were sent and are still kept.
    pub sent: u64,
}

/// The address of a guardian of a student. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Guardian {
    /// The e-mail address.
    pub email: String,
    /// The language of letters, as the pages call it, such as `en`.
    pub language: String,
}

impl std::fmt::Debug for Guardian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guardian(*** in {})", self.language)
    }
}
