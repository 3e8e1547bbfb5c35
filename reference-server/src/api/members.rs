//! Members of groups, and students who leave and come back.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::store::{
    GroupRef, Membership, MembershipFilter, Page, RosterChange, RosterChanged, RosterOutcome, RosterRun, Store,
    Student as StoredStudent, StudentRef, Withdrawal,
};
use faceattend_core::types::StudentId;
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::{NO_GROUP, day_or_today, group_error, today};
use super::students::NO_STUDENT;
use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, FlagOr, Integer, Optional, Student};
use crate::request::lists::Students;
use crate::responses::{Done, Reply, done, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_MEMBERSHIP: &str = "The student is no member of this group";

/// Says in plain words what a change of memberships meets.
fn member_error(error: AppError) -> AppError {
    match error {
        AppError::Core(_, Error::NotFound { what: "student" }) => AppError::not_found(NO_STUDENT),
        AppError::Core(_, Error::NotFound { what: "membership" }) => AppError::not_found(NO_MEMBERSHIP),
        other => group_error(other),
    }
}

/// Makes changes of the roster; the first that cannot be made is the error, and none is made then.
fn change(store: &dyn Store, changes: &[RosterChange], by: &str) -> Result<Vec<RosterChanged>> {
    match store.change_roster(changes, RosterRun::Apply, by, Timestamp::now())? {
        RosterOutcome::Done(changed) => Ok(changed),
        RosterOutcome::Refused(refused) => Err(match refused.into_iter().next() {
            Some((_, error)) => error,
            None => Error::Internal { reason: "a change was refused for no reason".into() },
        }),
    }
}

input! {
    /// The group in the path, and the day.
    pub(crate) struct OfGroup {
        path {
            group_id: i64 = Integer,
        }
        query {
            /// A day of the site; today where it is left out.
            day: Option<Date> = Optional(Day),
            /// Whether to list former and future members too.
            all: bool = FlagOr(false),
        }
    }
}

/// A student in a group.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberItem {
    membership_id: i64,
    group_id: i64,
    group_name: String,
    student_id: i64,
    student_name: String,
    student_roll_number: String,
    /// Whether a face is stored.
    has_face: bool,
    /// The first day in the group.
    #[schema(format = Date)]
    from_day: String,
    /// The first day on which it is over; null for no end.
    #[schema(required, format = Date)]
    until_day: Option<String>,
}

/// The members of a group, or the groups of a student.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberList {
    members: Vec<MemberItem>,
    /// The times in which the student is not expected. Empty for a group.
    withdrawals: Vec<WithdrawalItem>,
}

/// A time in which a student is not expected.
#[derive(Serialize, ToSchema)]
struct WithdrawalItem {
    /// The first day; null for the time before the first day of the student.
    #[schema(required, format = Date)]
    from_day: Option<String>,
    /// The day on which the student is expected again; null for one who has left.
    #[schema(required, format = Date)]
    until_day: Option<String>,
    noted_by: String,
}

impl WithdrawalItem {
    fn of(withdrawal: Withdrawal) -> Self {
        let begins = Some(withdrawal.from_day).filter(|day| *day != Withdrawal::BEGINNING);
        Self {
            from_day: begins.map(|day| day.to_string()),
            until_day: withdrawal.until_day.map(|day| day.to_string()),
            noted_by: withdrawal.by,
        }
    }
}

fn items(
    memberships: &[Membership],
    groups: &HashMap<i64, String>,
    students: &HashMap<StudentId, StoredStudent>,
) -> Vec<MemberItem> {
    let item = |membership: &Membership| {
        let student = students.get(&membership.student)?;
        Some(MemberItem {
            membership_id: membership.id,
            group_id: membership.group,
            group_name: groups.get(&membership.group).cloned().unwrap_or_default(),
            student_id: student.id.0,
            student_name: student.name.clone(),
            student_roll_number: student.roll_number.clone(),
            has_face: student.has_face,
            from_day: membership.from_day.to_string(),
            until_day: membership.until_day.map(|day| day.to_string()),
        })
    };
    let mut items: Vec<MemberItem> = memberships.iter().filter_map(item).collect();
    items.sort_by(|a, b| {
        (&a.student_name, a.student_id, &a.from_day).cmp(&(&b.student_name, b.student_id, &b.from_day))
    });
    items
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/groups/{group_id}/members",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Groups,
    summary: "Lists the members of a group on a day, or of all days",
    errors: &[(404, NO_GROUP)],
};

pub(super) async fn list(
    State(app): State<AppState>,
    call: Authed<OfGroup>,
) -> std::result::Result<Json<Reply<MemberList>>, AppError> {
    let OfGroup { group_id, day, all } = call.input;
    let state = app.clone();
    let members = app
        .with_store("Error retrieving members", move |store| {
            let group = store.group(group_id)?.ok_or(Error::NotFound { what: "group" })?;
            let on = if all { None } else { Some(day_or_today(&state, day)?) };
            let found =
                store.memberships(&MembershipFilter { group: Some(group_id), on, ..MembershipFilter::default() })?;
            let students = store.students(None, Page::ALL)?.items;
            let students = students.into_iter().map(|student| (student.id, student)).collect();
            Ok(items(&found, &HashMap::from([(group.id, group.name)]), &students))
        })
        .await
        .map_err(group_error)?;
    Ok(Json(reply("Members retrieved successfully", MemberList { members, withdrawals: Vec::new() })))
}

input! {
    /// The student in the path.
    pub(crate) struct OfStudent {
        path {
            student_id: StudentId = Student,
        }
    }
}

pub(super) const OF_STUDENT: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/students/{student_id}/memberships",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Groups,
    summary: "Lists the groups of a student on all days, and when the student is not expected",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn of_student(
    State(app): State<AppState>,
    call: Authed<OfStudent>,
) -> std::result::Result<Json<Reply<MemberList>>, AppError> {
    let OfStudent { student_id } = call.input;
    let state = app.clone();
    let list = app
        .with_store("Error retrieving memberships", move |store| {
            let student = store.student(student_id)?.ok_or(Error::NotFound { what: "student" })?;
            let filter = MembershipFilter { student: Some(student_id), ..MembershipFilter::default() };
            let found = store.memberships(&filter)?;
            let groups = store.groups(today(&state)?)?.into_iter().map(|its| (its.group.id, its.group.name)).collect();
            let members = items(&found, &groups, &HashMap::from([(student.id, student)]));
            let withdrawals = store.withdrawals(Some(student_id))?.into_iter().map(WithdrawalItem::of).collect();
            Ok(MemberList { members, withdrawals })
        })
        .await
        .map_err(member_error)?;
    Ok(Json(reply("Memberships retrieved successfully", list)))
}

input! {
    /// The students who join the group in the path.
    pub(crate) struct Joining {
        path {
            group_id: i64 = Integer,
        }
        body Json {
            student_ids: Vec<StudentId> = Students,
            /// The first day in the group; today where it is left out.
            from_day: Option<Date> = Optional(Day),
            /// The first day on which it is over; no end where it is left out.
            until_day: Option<Date> = Optional(Day),
        }
    }
}

/// What a change of members did.
#[derive(Serialize, ToSchema)]
pub(crate) struct MembersChanged {
    group_id: i64,
    /// How many students are members who were not, or from another day on.
    changed: usize,
    /// How many were members already.
    unchanged: usize,
}

pub(super) const JOIN: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/groups/{group_id}/members",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Adds students to a group from a day on: all of them, or none",
    errors: &[(404, NO_GROUP), (409, "The group is archived, or a student is withdrawn")],
};

pub(super) async fn join(
    State(app): State<AppState>,
    call: Authed<Joining>,
) -> std::result::Result<Json<Reply<MembersChanged>>, AppError> {
    let Joining { group_id, student_ids, from_day, until_day } = call.input;
    let (state, by, count) = (app.clone(), call.user, student_ids.len());
    let (group, from_day, done) = app
        .with_store("Error adding members", move |store| {
            let group = store.group(group_id)?.ok_or(Error::NotFound { what: "group" })?;
            let from_day = day_or_today(&state, from_day)?;
            let join = |student: &StudentId| RosterChange::Join {
                student: StudentRef::Id(*student),
                group: GroupRef::Id(group_id),
                from_day,
                until_day,
            };
            let changes: Vec<RosterChange> = student_ids.iter().map(join).collect();
            Ok((group, from_day, change(store, &changes, &by)?))
        })
        .await
        .map_err(member_error)?;
    let changed = done.iter().filter(|what| **what != RosterChanged::Unchanged).count();
    call.trail.note(format!("{changed} of {count} students join {} from {from_day}", group.name));
    let changed = MembersChanged { group_id, changed, unchanged: count - changed };
    Ok(Json(reply(format!("Members of {} changed", group.name), changed)))
}

input! {
    /// The student who leaves the group in the path.
    pub(crate) struct Leaving {
        path {
            group_id: i64 = Integer,
            student_id: StudentId = Student,
        }
        query {
            /// The first day on which the student is no member; today where it is left out.
            until_day: Option<Date> = Optional(Day),
        }
    }
}

pub(super) const LEAVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/groups/{group_id}/members/{student_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Ends the membership of a student on a day; the days before stay",
    errors: &[(404, NO_MEMBERSHIP)],
};

pub(super) async fn leave(
    State(app): State<AppState>,
    call: Authed<Leaving>,
) -> std::result::Result<Json<Done>, AppError> {
    let Leaving { group_id, student_id, until_day } = call.input;
    let (state, by) = (app.clone(), call.user);
    let (group, student, until) = app
        .with_store("Error ending the membership", move |store| {
            let group = store.group(group_id)?.ok_or(Error::NotFound { what: "group" })?;
            let student = store.student(student_id)?.ok_or(Error::NotFound { what: "student" })?;
            let until_day = day_or_today(&state, until_day)?;
            let (who, which) = (StudentRef::Id(student_id), GroupRef::Id(group_id));
            change(store, &[RosterChange::Leave { student: who, group: which, until_day }], &by)?;
            Ok((group, student, until_day))
        })
        .await
        .map_err(member_error)?;
    call.trail.note(format!("student_id {student_id} leaves {} on {until}", group.name));
    Ok(Json(done(format!("{} is no member of {} from {until} on", student.name, group.name))))
}

input! {
    /// The days of the membership in the path.
    pub(crate) struct Redating {
        path {
            membership_id: i64 = Integer,
        }
        body Json {
            from_day: Date = Day,
            /// The first day on which it is over; no end where it is left out.
            until_day: Option<Date> = Optional(Day),
        }
    }
}

pub(super) const REDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/memberships/{membership_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Corrects the first and the last day of a membership",
    errors: &[(404, "Membership not found"), (409, "The days are those of another membership")],
};

pub(super) async fn redate(
    State(app): State<AppState>,
    call: Authed<Redating>,
) -> std::result::Result<Json<Done>, AppError> {
    let Redating { membership_id: membership, from_day, until_day } = call.input;
    let by = call.user;
    app.with_store("Error changing the membership", move |store| {
        change(store, &[RosterChange::Redate { membership, from_day, until_day }], &by)
    })
    .await?;
    let until = until_day.map(|day| format!(" until {day}")).unwrap_or_default();
    call.trail.note(format!("from {from_day}{until}"));
    Ok(Json(done("Membership changed")))
}

input! {
    /// The student in the path, and a day.
    pub(crate) struct FromDay {
        path {
            student_id: StudentId = Student,
        }
        body OptionalDictionary {
            /// The first day; today where it is left out.
            from_day: Option<Date> = Optional(Day),
        }
    }
}

pub(super) const WITHDRAW: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/students/{student_id}/withdraw",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Ends all memberships of a student who leaves; nobody expects the student from that day on",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn withdraw(
    State(app): State<AppState>,
    call: Authed<FromDay>,
) -> std::result::Result<Json<Done>, AppError> {
    let (name, day) = from_day(&app, &call, |student, from_day| RosterChange::Withdraw { student, from_day }).await?;
    call.trail.note(format!("from {day}"));
    Ok(Json(done(format!("{name} is not expected from {day} on"))))
}

pub(super) const READMIT: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/students/{student_id}/readmit",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Expects a student again who had left; memberships do not come back",
    errors: &[(404, NO_STUDENT)],
};

pub(super) async fn readmit(
    State(app): State<AppState>,
    call: Authed<FromDay>,
) -> std::result::Result<Json<Done>, AppError> {
    let (name, day) = from_day(&app, &call, |student, from_day| RosterChange::Readmit { student, from_day }).await?;
    call.trail.note(format!("from {day}"));
    Ok(Json(done(format!("{name} is expected again from {day} on"))))
}

/// Makes one change of a student from a day on. Returns the name and the day.
async fn from_day(
    app: &AppState,
    call: &Authed<FromDay>,
    what: fn(StudentRef, Date) -> RosterChange,
) -> std::result::Result<(String, Date), AppError> {
    let FromDay { student_id, from_day } = call.input;
    let (state, by) = (app.clone(), call.user.clone());
    app.with_store("Error changing the student", move |store| {
        let student = store.student(student_id)?.ok_or(Error::NotFound { what: "student" })?;
        let day = day_or_today(&state, from_day)?;
        change(store, &[what(StudentRef::Id(student_id), day)], &by)?;
        Ok((student.name, day))
    })
    .await
    .map_err(member_error)
}
