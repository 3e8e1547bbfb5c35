//! Groups of students, and who is a member when.

use faceattend_core::store::{
    Group as CoreGroup, GroupChange as CoreChange, GroupKind as CoreKind, GroupSize as CoreSize,
    Membership as CoreMembership, MembershipFilter, NewGroup, RemovedGroup as CoreRemoved,
    Withdrawal as CoreWithdrawal,
};
use faceattend_core::types::StudentId;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use super::{ChangeOptions, Rosters, Stamp, key};
use crate::error::OrThrow as _;
use crate::gallery::student;
use crate::job::Job;
use crate::time::{self, Date};

/// What a group is: a class of a school, a section of a class, a department of a company, people who work at the same
/// hours, or another group, such as a choir.
#[napi(string_enum = "lowercase")]
pub enum GroupKind {
    Class,
    Section,
    Department,
    Shift,
    Other,
}

/// A group of students.
#[napi(object, use_nullable = true)]
pub struct Group {
    /// The key.
    pub id: i64,
    /// Unique without letter case.
    pub name: String,
    pub kind: GroupKind,
    /// When the group was archived: it takes no members any more, and its history stays.
    pub archived_at: Option<Date>,
    pub created_at: Date,
    /// Who made it.
    pub created_by: String,
}

/// A group with the number of its members on a day.
#[napi(object)]
pub struct GroupSize {
    pub group: Group,
    /// How many students are members on that day, without those who are withdrawn.
    pub members: i64,
}

/// How a group is made.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct GroupOptions {
    /// Default `class`.
    pub kind: Option<GroupKind>,
    /// Who makes it. Default `node`.
    pub by: Option<String>,
    /// When. Default: now.
    pub at: Option<Date>,
}

/// What to change of a group; what is left out stays.
#[napi(object, object_to_js = false)]
pub struct GroupChange {
    pub name: Option<String>,
    pub kind: Option<GroupKind>,
}

/// What became of a group: it is gone, because it never had a member, or it is archived.
#[napi(string_enum = "lowercase")]
pub enum RemovedGroup {
    Removed,
    Archived,
}

/// That a student is a member of a group.
#[napi(object, use_nullable = true)]
pub struct Membership {
    /// The key.
    pub id: i64,
    /// The key of the group.
    pub group: i64,
    pub student_id: i64,
    /// The first day, as `YYYY-MM-DD`.
    pub from_day: String,
    /// The first day on which it is over; `null` for no end.
    pub until_day: Option<String>,
}

/// Which memberships to read. What is left out does not narrow the selection.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct MembershipQuery {
    /// Those of the group with this key.
    pub group: Option<f64>,
    /// Those of this student.
    pub student_id: Option<f64>,
    /// Those that hold on this day, as `YYYY-MM-DD`.
    pub on: Option<String>,
}

/// A time in which a student is not expected: after the student left, or before the first day.
#[napi(object, use_nullable = true)]
pub struct Withdrawal {
    /// The key.
    pub id: i64,
    pub student_id: i64,
    /// The first day on which the student is not expected, as `YYYY-MM-DD`; `null` before a first day.
    pub from_day: Option<String>,
    /// The day on which the student is expected again; `null` for one who has left.
    pub until_day: Option<String>,
    /// Who noted it.
    pub by: String,
    /// When it was noted.
    pub at: Date,
}

#[napi]
impl Rosters {
    /// Resolves to every group, by name, with the number of its members on a day, which is today if left out. Archived
    /// ones are among them.
    #[napi(ts_args_type = "on?: string | null, options?: Abortable", ts_return_type = "Promise<Array<GroupSize>>")]
    pub fn groups(&self, on: Option<String>) -> napi::Result<AsyncTask<Job<Vec<GroupSize>>>> {
        let on = self.day_or(on.as_deref(), jiff::Timestamp::now()).or_throw()?;
        Ok(self.job(move |store| Ok(store.groups(on)?.iter().map(Into::into).collect())))
    }

    /// Resolves to the group with this key.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<Group | null>")]
    pub fn group(&self, id: f64) -> napi::Result<AsyncTask<Job<Option<Group>>>> {
        let id = key(id).or_throw()?;
        Ok(self.job(move |store| Ok(store.group(id)?.as_ref().map(Into::into))))
    }

    /// Makes a group. Rejects with `conflict` for a name that another group has, archived or not.
    #[napi(ts_args_type = "name: string, options?: GroupOptions & Abortable", ts_return_type = "Promise<Group>")]
    pub fn create_group(&self, name: String, options: Option<GroupOptions>) -> napi::Result<AsyncTask<Job<Group>>> {
        let GroupOptions { kind, by, at } = options.unwrap_or_default();
        let Stamp { by, at } = Stamp::of(by, at).or_throw()?;
        let new = NewGroup { name, kind: kind.map_or(CoreKind::Class, Into::into), by, at };
        Ok(self.job(move |store| store.create_group(&new).map(|group| (&group).into())))
    }

    /// Renames a group, or says what it is; resolves to the group as it is now.
    #[napi(ts_args_type = "id: number, change: GroupChange, options?: Abortable", ts_return_type = "Promise<Group>")]
    pub fn change_group(&self, id: f64, change: GroupChange) -> napi::Result<AsyncTask<Job<Group>>> {
        let id = key(id).or_throw()?;
        let change = CoreChange { name: change.name, kind: change.kind.map(Into::into) };
        Ok(self.job(move |store| store.change_group(id, &change).map(|group| (&group).into())))
    }

    /// Removes a group that never had a member, with its timetables. Another one is archived: its memberships end on
    /// the day of `at`, and its history stays.
    #[napi(ts_args_type = "id: number, options?: ChangeOptions & Abortable", ts_return_type = "Promise<RemovedGroup>")]
    pub fn remove_group(&self, id: f64, options: Option<ChangeOptions>) -> napi::Result<AsyncTask<Job<RemovedGroup>>> {
        let id = key(id).or_throw()?;
        let Stamp { at, .. } = Stamp::of_options(options).or_throw()?;
        let today = self.day_or(None, at).or_throw()?;
        Ok(self.job(move |store| store.remove_group(id, today, at).map(Into::into)))
    }

    /// Takes a group out of the archive; resolves to it. Its members do not come back.
    #[napi(ts_args_type = "id: number, options?: Abortable", ts_return_type = "Promise<Group>")]
    pub fn restore_group(&self, id: f64) -> napi::Result<AsyncTask<Job<Group>>> {
        let id = key(id).or_throw()?;
        Ok(self.job(move |store| store.restore_group(id).map(|group| (&group).into())))
    }

    /// Resolves to the memberships that pass the query, ordered by student, first day and group.
    #[napi(ts_args_type = "query?: MembershipQuery & Abortable", ts_return_type = "Promise<Array<Membership>>")]
    pub fn memberships(&self, query: Option<MembershipQuery>) -> napi::Result<AsyncTask<Job<Vec<Membership>>>> {
        let query = query.unwrap_or_default();
        let filter = MembershipFilter {
            group: query.group.map(key).transpose().or_throw()?,
            student: query.student_id.map(student).transpose().or_throw()?,
            on: query.on.as_deref().map(time::day).transpose().or_throw()?,
        };
        Ok(self.job(move |store| Ok(store.memberships(&filter)?.iter().map(Into::into).collect())))
    }

    /// Resolves to the times in which students are not expected, of one student or of all.
    #[napi(
        ts_args_type = "studentId?: number | null, options?: Abortable",
        ts_return_type = "Promise<Array<Withdrawal>>"
    )]
    pub fn withdrawals(&self, student_id: Option<f64>) -> napi::Result<AsyncTask<Job<Vec<Withdrawal>>>> {
        let student = student_id.map(student).transpose().or_throw()?;
        Ok(self.job(move |store| Ok(store.withdrawals(student)?.iter().map(Into::into).collect())))
    }
}

impl From<GroupKind> for CoreKind {
    fn from(kind: GroupKind) -> Self {
        match kind {
            GroupKind::Class => Self::Class,
            GroupKind::Section => Self::Section,
            GroupKind::Department => Self::Department,
            GroupKind::Shift => Self::Shift,
            GroupKind::Other => Self::Other,
        }
    }
}

impl From<CoreKind> for GroupKind {
    fn from(kind: CoreKind) -> Self {
        match kind {
            CoreKind::Class => Self::Class,
            CoreKind::Section => Self::Section,
            CoreKind::Department => Self::Department,
            CoreKind::Shift => Self::Shift,
            CoreKind::Other => Self::Other,
        }
    }
}

impl From<&CoreGroup> for Group {
    fn from(group: &CoreGroup) -> Self {
        Self {
            id: group.id,
            name: group.name.clone(),
            kind: group.kind.into(),
            archived_at: group.archived_at.map(time::date),
            created_at: time::date(group.created_at),
            created_by: group.created_by.clone(),
        }
    }
}

impl From<&CoreSize> for GroupSize {
    fn from(size: &CoreSize) -> Self {
        Self { group: (&size.group).into(), members: size.members.cast_signed() }
    }
}

impl From<CoreRemoved> for RemovedGroup {
    fn from(removed: CoreRemoved) -> Self {
        match removed {
            CoreRemoved::Removed => Self::Removed,
            CoreRemoved::Archived => Self::Archived,
        }
    }
}

impl From<&CoreMembership> for Membership {
    fn from(membership: &CoreMembership) -> Self {
        let StudentId(student_id) = membership.student;
        Self {
            id: membership.id,
            group: membership.group,
            student_id,
            from_day: membership.from_day.to_string(),
            until_day: membership.until_day.map(|day| day.to_string()),
        }
    }
}

impl From<&CoreWithdrawal> for Withdrawal {
    fn from(withdrawal: &CoreWithdrawal) -> Self {
        let StudentId(student_id) = withdrawal.student;
        let before_the_first = withdrawal.from_day == CoreWithdrawal::BEGINNING;
        Self {
            id: withdrawal.id,
            student_id,
            from_day: (!before_the_first).then(|| withdrawal.from_day.to_string()),
            until_day: withdrawal.until_day.map(|day| day.to_string()),
            by: withdrawal.by.clone(),
            at: time::date(withdrawal.at),
        }
    }
}
