//! Lists, makes, changes and removes groups of students.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::store::{Group, GroupChange, GroupKind, GroupSize, NewGroup, RemovedGroup};
use faceattend_core::{Error, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::input;
use crate::request::kinds::{Day, Integer, Optional, Word};
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

pub(super) const NO_GROUP: &str = "Group not found";
const GROUP_TAKEN: &str = "Group with this name already exists";

/// What groups are.
pub(super) const KINDS: Word<GroupKind> = Word(&[
    ("class", GroupKind::Class),
    ("section", GroupKind::Section),
    ("department", GroupKind::Department),
    ("shift", GroupKind::Shift),
    ("other", GroupKind::Other),
]);

/// Returns the day of the site.
pub(super) fn today(app: &AppState) -> Result<Date> {
    Ok(app.settings().policy.day(Timestamp::now())?.date)
}

/// Returns the day that is given, or else that of the site.
pub(super) fn day_or_today(app: &AppState, day: Option<Date>) -> Result<Date> {
    day.map_or_else(|| today(app), Ok)
}

/// Says in plain words what a change of groups meets.
pub(super) fn group_error(error: AppError) -> AppError {
    match error {
        AppError::Core(_, Error::NotFound { what: "group" }) => AppError::not_found(NO_GROUP),
        AppError::Core(_, Error::Conflict { what: "group with this name" }) => AppError::bad_request(GROUP_TAKEN),
        other => other,
    }
}

input! {
    /// The day of the numbers of members.
    pub(crate) struct OnDay {
        query {
            /// A day of the site; today where it is left out.
            day: Option<Date> = Optional(Day),
        }
    }
}

/// A group of students.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupItem {
    group_id: i64,
    name: String,
    /// `class`, `section`, `department`, `shift` or `other`.
    kind: &'static str,
    /// How many students are members on the day, without those who are withdrawn.
    members: u64,
    /// Whether it is archived: it takes no members any more, and its history stays.
    archived: bool,
    created_at: String,
    created_by: String,
}

impl GroupItem {
    fn of(group: Group, members: u64) -> Self {
        Self {
            group_id: group.id,
            name: group.name,
            kind: group.kind.as_str(),
            members,
            archived: group.archived_at.is_some(),
            created_at: naive_utc(group.created_at),
            created_by: group.created_by,
        }
    }
}

/// The groups, ordered by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupList {
    /// The day of the numbers of members.
    #[schema(format = Date)]
    day: String,
    groups: Vec<GroupItem>,
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/groups",
    access: Access::Viewer,
    audit: Audit::None,
    tag: Tag::Groups,
    summary: "Lists the groups with the number of their members on a day",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    call: Authed<OnDay>,
) -> std::result::Result<Json<Reply<GroupList>>, AppError> {
    let state = app.clone();
    let listed = app
        .with_store("Error retrieving groups", move |store| {
            let day = day_or_today(&state, call.input.day)?;
            Ok((day, store.groups(day)?))
        })
        .await?;
    let groups = listed.1.into_iter().map(|GroupSize { group, members }| GroupItem::of(group, members)).collect();
    Ok(Json(reply("Groups retrieved successfully", GroupList { day: listed.0.to_string(), groups })))
}

input! {
    /// A group to make.
    pub(crate) struct New {
        body Json {
            name: String = texts::GROUP_NAME,
            kind: GroupKind = KINDS,
        }
    }
}

pub(super) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/groups",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Makes a group",
    errors: &[(400, GROUP_TAKEN)],
};

pub(super) async fn create(
    State(app): State<AppState>,
    call: Authed<New>,
) -> std::result::Result<Json<Reply<GroupItem>>, AppError> {
    let New { name, kind } = call.input;
    let new = NewGroup { name, kind, by: call.user, at: Timestamp::now() };
    let group =
        app.with_store("Error making the group", move |store| store.create_group(&new)).await.map_err(group_error)?;
    call.trail.note(format!("{} {}", group.kind.as_str(), group.name));
    Ok(Json(reply(format!("Group {} created", group.name), GroupItem::of(group, 0))))
}

input! {
    /// A change to the group in the path.
    pub(crate) struct Change {
        path {
            group_id: i64 = Integer,
        }
        body Json {
            name: Option<String> = Optional(texts::GROUP_NAME),
            kind: Option<GroupKind> = Optional(KINDS),
        }
    }
}

pub(super) const UPDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/groups/{group_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Renames a group, or changes what it is",
    errors: &[(404, NO_GROUP), (400, GROUP_TAKEN)],
};

pub(super) async fn update(
    State(app): State<AppState>,
    call: Authed<Change>,
) -> std::result::Result<Json<Done>, AppError> {
    let Change { group_id, name, kind } = call.input;
    let change = GroupChange { name, kind };
    let (before, after) = app
        .with_store("Error changing the group", move |store| {
            let before = store.group(group_id)?;
            Ok((before, store.change_group(group_id, &change)?))
        })
        .await
        .map_err(group_error)?;
    let was = before.map(|group| format!("{} {}", group.kind.as_str(), group.name)).unwrap_or_default();
    call.trail.note(format!("{was} is now {} {}", after.kind.as_str(), after.name));
    Ok(Json(done(format!("Group {} changed", after.name))))
}

input! {
    /// The group in the path.
    pub(crate) struct Which {
        path {
            group_id: i64 = Integer,
        }
    }
}

/// What became of a group.
#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedOrArchived {
    group_id: i64,
    /// Whether it has a history: it is archived then, and its memberships have ended today.
    archived: bool,
}

pub(super) const REMOVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/groups/{group_id}",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Removes a group that never had a member, and archives another",
    errors: &[(404, NO_GROUP)],
};

pub(super) async fn remove(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> std::result::Result<Json<Reply<RemovedOrArchived>>, AppError> {
    let Which { group_id } = call.input;
    let state = app.clone();
    let (group, removed) = app
        .with_store("Error removing the group", move |store| {
            let group = store.group(group_id)?;
            Ok((group, store.remove_group(group_id, today(&state)?, Timestamp::now())?))
        })
        .await
        .map_err(group_error)?;
    let name = group.map(|group| group.name).unwrap_or_default();
    let archived = removed == RemovedGroup::Archived;
    let what = if archived { "archived" } else { "removed" };
    call.trail.note(format!("{name}, {what}"));
    Ok(Json(reply(format!("Group {name} {what}"), RemovedOrArchived { group_id, archived })))
}

pub(super) const RESTORE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/groups/{group_id}/restore",
    access: Access::Operator,
    audit: Audit::Entry,
    tag: Tag::Groups,
    summary: "Takes a group out of the archive, without its former members",
    errors: &[(404, NO_GROUP)],
};

pub(super) async fn restore(
    State(app): State<AppState>,
    call: Authed<Which>,
) -> std::result::Result<Json<Done>, AppError> {
    let Which { group_id } = call.input;
    let group = app
        .with_store("Error restoring the group", move |store| store.restore_group(group_id))
        .await
        .map_err(group_error)?;
    call.trail.note(group.name.clone());
    Ok(Json(done(format!("Group {} restored", group.name))))
}
