//! Groups of students, who is a member when, and changes to both.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::types::StudentId;

/// What a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupKind {
    /// A class of a school.
    Class,
    /// A section of a class.
    Section,
    /// A department of a company.
    Department,
    /// People who work at the same hours.
    Shift,
    /// Another group, such as a choir.
    Other,
}

impl GroupKind {
    /// Every kind, in the order in which pages offer them.
    pub const ALL: [Self; 5] = [Self::Class, Self::Section, Self::Department, Self::Shift, Self::Other];

    /// Returns the word for the kind, in the database and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Section => "section",
            Self::Department => "department",
            Self::Shift => "shift",
            Self::Other => "other",
        }
    }
}

/// Reads the word for a kind.
///
/// ```
/// use faceattend_core::store::GroupKind;
///
/// assert_eq!("shift".parse::<GroupKind>()?, GroupKind::Shift);
/// assert!("team".parse::<GroupKind>().is_err());
/// # Ok::<(), faceattend_core::Error>(())
/// ```
impl FromStr for GroupKind {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid_input("kind of a group", format!("{word:?} is none of {known}"))
        })
    }
}

/// A group of students.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The key of the row.
    pub id: i64,
    /// The name, unique without letter case.
    pub name: String,
    /// What the group is.
    pub kind: GroupKind,
    /// When the group was archived: it takes no members any more, and its history stays.
    pub archived_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// A group that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    /// The name.
    pub name: String,
    /// What the group is.
    pub kind: GroupKind,
    /// The name of the person who makes it.
    pub by: String,
    /// The time.
    pub at: Timestamp,
}

/// A change of a group; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChange {
    /// The new name.
    pub name: Option<String>,
    /// The new kind.
    pub kind: Option<GroupKind>,
}

/// A group with the number of its members on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSize {
    /// The group.
    pub group: Group,
    /// How many students are members on that day, without those who are withdrawn.
    pub members: u64,
}

/// What became of a group that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemovedGroup {
    /// It never had a member: it is gone.
    Removed,
    /// It has a history, which stays: its memberships have ended, and it takes no new ones.
    Archived,
}

/// That a student is a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The key of the row.
    pub id: i64,
    /// The group.
    pub group: i64,
    /// The student.
    pub student: StudentId,
    /// The first day.
    pub from_day: Date,
    /// The first day on which it is over; `None` for no end.
    pub until_day: Option<Date>,
}

impl Membership {
    /// Returns whether it holds on this day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.from_day <= day && self.until_day.is_none_or(|until| day < until)
    }
}

/// A time in which a student is not expected: after the student left, or before the first day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The key of the row.
    pub id: i64,
    /// The student.
    pub student: StudentId,
    /// The first day on which the student is not expected; [`Withdrawal::BEGINNING`] before a first day.
    pub from_day: Date,
    /// The day on which the student is expected again; `None` for one who has left.
    pub until_day: Option<Date>,
    /// Who noted it.
    pub by: String,
    /// When it was noted.
    pub at: Timestamp,
}

impl Withdrawal {
    /// The `from_day` of the time before a student's first day.
    pub const BEGINNING: Date = Date::constant(1, 1, 1);

    /// Returns whether the student is not expected on this day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.from_day <= day && self.until_day.is_none_or(|until| day < until)
    }
}

/// A filter of memberships; `None` lets every one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MembershipFilter {
    /// Only of this group.
    pub group: Option<i64>,
    /// Only of this student.
    pub student: Option<StudentId>,
    /// Only those that hold on this day.
    pub on: Option<Date>,
}

/// Names a student in a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudentRef {
    /// By the key of the row.
    Id(StudentId),
    /// By the roll number, as two roll numbers are one everywhere.
    RollNumber(String),
}

/// Names a group in a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupRef {
    /// By the key of the row.
    Id(i64),
    /// By the name, without letter case.
    Name(String),
}

/// One change of a roster. Several are made in one transaction, one after the other: a later one finds the student and
/// the group that an earlier one made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RosterChange {
    /// A student with this roll number is there and has this name.
    Student {
        /// The roll number.
        roll_number: String,
        /// The name.
        name: String,
    },
    /// A group with this name is there and is not archived. The kind is that of a group that has to be made.
    Group {
        /// The name.
        name: String,
        /// The kind.
        kind: GroupKind,
    },
    /// The student is a member from a day on. A membership that begins later begins earlier then.
    Join {
        /// The student.
        student: StudentRef,
        /// The group.
        group: GroupRef,
        /// The first day.
        from_day: Date,
        /// The first day on which it is over, of a membership that is made; `None` for no end.
        until_day: Option<Date>,
    },
    /// The student is no member from a day on. A membership that would not have begun is deleted.
    Leave {
        /// The student.
        student: StudentRef,
        /// The group.
        group: GroupRef,
        /// The first day on which it is over.
        until_day: Date,
    },
    /// A membership has these days.
    Redate {
        /// The key of the membership.
        membership: i64,
        /// The first day.
        from_day: Date,
        /// The first day on which it is over; `None` for no end.
        until_day: Option<Date>,
    },
    /// The student has left: all memberships end, and nobody expects the student from that day on.
    Withdraw {
        /// The student.
        student: StudentRef,
        /// The first day on which the student is not expected.
        from_day: Date,
    },
    /// The student who was withdrawn is expected again from a day on. Memberships do not come back.
    Readmit {
        /// The student.
        student: StudentRef,
        /// The first day on which the student is expected again.
        from_day: Date,
    },
    /// The student is not expected before a day.
    FirstDay {
        /// The student.
        student: StudentRef,
        /// The first day on which the student is expected.
        day: Date,
    },
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RosterChanged {
    /// It made something.
    Created,
    /// It changed something that was there.
    Changed,
    /// All was so already.
    Unchanged,
}

/// Whether changes of a roster are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RosterRun {
    /// They are made.
    Apply,
    /// They are tried, and taken back.
    Preview,
}

/// What became of changes of a roster.
#[derive(Debug)]
pub enum RosterOutcome {
    /// All were made, or would be: what each did.
    Done(Vec<RosterChanged>),
    /// Nothing has changed: the changes that cannot be made, by their place in the list, and why.
    Refused(Vec<(usize, Error)>),
}
