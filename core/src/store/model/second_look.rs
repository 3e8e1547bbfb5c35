//! A sighting that a person has to look at, and what was decided about it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::attendance::{AttendanceRecord, Marking, NewAttendance};
use crate::types::StudentId;

/// What a camera thought of somebody whom it did not mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondLookVerdict {
    /// It saw too little to tell.
    Undecided,
    /// It saw signs of a photograph or a replay.
    Spoof,
}

impl SecondLookVerdict {
    /// Returns the code in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Spoof => "spoof",
        }
    }
}

/// What has become of a sighting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondLookState {
    /// Nobody has decided yet.
    Open,
    /// A person said that the student was there.
    Confirmed,
    /// A person said that it was not the student.
    Refused,
    /// The student was marked otherwise in the same day and period.
    Settled,
}

impl SecondLookState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Confirmed, Self::Refused, Self::Settled];

    /// Returns the code in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Settled => "settled",
        }
    }

    /// Returns the state with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == code)
    }
}

/// A sighting for the second-look list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewSecondLook {
    /// The mark that a confirmation makes: who was seen, when, where, in which day and period.
    pub sighting: NewAttendance,
    /// What the camera thought.
    pub verdict: SecondLookVerdict,
    /// Why, as stable codes such as `few_views`, the weightiest first: lowercase letters, digits and underscores, at
    /// most [`SECOND_LOOK_REASONS`](crate::store::limits::SECOND_LOOK_REASONS) of them.
    pub reasons: Vec<String>,
}

/// An entry of the second-look list.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondLook {
    /// The key of the entry. No other entry is ever given it.
    pub id: i64,
    /// The student's name.
    pub student_name: String,
    /// The student's roll number.
    pub student_roll_number: String,
    /// The mark that a confirmation makes: who was seen, when, where, in which day and period.
    pub sighting: NewAttendance,
    /// What the camera thought.
    pub verdict: SecondLookVerdict,
    /// Why, as stable codes.
    pub reasons: Vec<String>,
    /// What has become of it.
    pub state: SecondLookState,
    /// The name of the person who decided.
    pub decided_by: Option<String>,
    /// When it was decided. Of a settled entry, the time of the mark.
    pub decided_at: Option<Timestamp>,
}

impl SecondLook {
    /// Returns the student.
    #[must_use]
    pub fn student(&self) -> StudentId {
        self.sighting.student
    }
}

/// The result of adding a sighting to the list.
#[derive(Debug, Clone, PartialEq)]
pub enum SecondLooking {
    /// It is on the list: the new entry.
    Added(SecondLook),
    /// An entry with this verdict was open for the student, the day and the period: that entry.
    AlreadyOpen(SecondLook),
    /// The student is marked in this day and period: that row.
    AlreadyMarked(AttendanceRecord),
}

/// A filter of the second-look list; `None` lets every entry pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecondLookFilter {
    /// Only entries in this state.
    pub state: Option<SecondLookState>,
    /// Only entries of this day of the site.
    pub day: Option<Date>,
    /// Only entries of this student.
    pub student: Option<StudentId>,
}

impl SecondLookFilter {
    /// Returns the filter of the entries that wait for a decision.
    #[must_use]
    pub fn open() -> Self {
        Self { state: Some(SecondLookState::Open), ..Self::default() }
    }
}

/// What a person says of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecondLookAnswer {
    /// The student was there: mark them.
    Confirm,
    /// It was not the student.
    Refuse,
}

impl SecondLookAnswer {
    /// Returns the state that the answer leaves an entry in.
    #[must_use]
    pub fn state(self) -> SecondLookState {
        match self {
            Self::Confirm => SecondLookState::Confirmed,
            Self::Refuse => SecondLookState::Refused,
        }
    }
}

/// A person's decision about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondLookDecision {
    /// What the person says.
    pub answer: SecondLookAnswer,
    /// The name of the person.
    pub by: String,
    /// The time of the decision.
    pub at: Timestamp,
}

impl SecondLookDecision {
    /// Returns the answer of this person at this time.
    #[must_use]
    pub fn new(answer: SecondLookAnswer, by: impl Into<String>, at: Timestamp) -> Self {
        Self { answer, by: by.into(), at }
    }
}

/// What a decision did.
#[derive(Debug, Clone, PartialEq)]
pub struct DecidedSecondLook {
    /// The entry, which is closed now.
    pub look: SecondLook,
    /// The mark of a confirmed entry; `None` for a refused one.
    pub marking: Option<Marking>,
}
