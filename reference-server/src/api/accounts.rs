//! Manages the accounts and shows the audit log of what they changed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{AdminChange, AdminUser, AuditEntry, NewAdmin, Page, Student};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Role, hash_new_password};
use crate::error::{AppError, during};
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{Flag, Optional, Word};
use crate::request::texts;
use crate::responses::{LIMIT, Listing, Reply, SKIP, naive_utc, page_of, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const ROLE: Word<Role> = Word(&[("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)]);

const NAME_TAKEN: &str = "User with this name already exists";
const NO_USER: &str = "User not found";
const LAST_ADMIN: &str = "The last active admin must stay one";
const WEAK_PASSWORD: &str = "Password: it needs at least 8 characters";

/// An account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Account {
    username: String,
    role: String,
    is_active: bool,
}

impl Account {
    fn of(user: &AdminUser) -> Self {
        Self { username: user.username.clone(), role: user.role.clone(), is_active: user.is_active }
    }
}

/// Every account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accounts {
    users: Vec<Account>,
}

fn account_error(prefix: &'static str) -> impl Fn(AppError) -> AppError {
    move |error| match error {
        AppError::Core(_, Error::Conflict { .. }) => AppError::bad_request(NAME_TAKEN),
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_USER),
        AppError::Core(_, Error::State { .. }) => AppError::bad_request(LAST_ADMIN),
        AppError::Core(_, Error::InvalidInput { reason, .. }) => AppError::bad_request(format!("Password: {reason}")),
        AppError::Core(_, error) => during(prefix)(error),
        other => other,
    }
}

pub(super) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/auth/users",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Accounts,
    summary: "Lists the accounts",
    errors: &[],
};

pub(super) async fn list(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<Accounts>>, AppError> {
    let users = app.with_store("Error retrieving users", |store| store.admins()).await?;
    let accounts = Accounts { users: users.iter().map(Account::of).collect() };
    Ok(Json(reply("Users retrieved successfully", accounts)))
}

input! {
    /// An account to create.
    pub(crate) struct NewAccount {
        body Json {
            username: String = texts::NEW_USER_NAME,
            password: String = texts::NEW_PASSWORD,
            role: Role = ROLE,
        }
    }
}

pub(super) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/auth/users",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Accounts,
    summary: "Creates an account",
    errors: &[(400, NAME_TAKEN), (400, WEAK_PASSWORD)],
};

pub(super) async fn create(
    State(app): State<AppState>,
    call: Authed<NewAccount>,
) -> Result<Json<Reply<Account>>, AppError> {
    const PREFIX: &str = "Error creating user";
    let NewAccount { username, password, role } = call.input;
    call.trail.note(role.as_str());
    let turn = app.turn_to_hash().await?;
    let made = app
        .with_store(PREFIX, move |store| {
            let hashed_password = turn.run(|| hash_new_password(&password))?;
            let new = NewAdmin { username, hashed_password, role: role.as_str().into() };
            store.create_admin(&new, Timestamp::now())
        })
        .await
        .map_err(account_error(PREFIX))?;
    Ok(Json(reply(format!("User {} created successfully", made.username), Account::of(&made))))
}

input! {
    /// A change to the account in the path.
    pub(crate) struct Change {
        path {
            username: String = texts::USER_NAME,
        }
        body Json {
            password: Option<String> = Optional(texts::NEW_PASSWORD),
            role: Option<Role> = Optional(ROLE),
            is_active: Option<bool> = Optional(Flag),
        }
    }
}

pub(super) const UPDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/auth/users/{username}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Accounts,
    summary: "Changes role, activity or password of an account",
    errors: &[(400, LAST_ADMIN), (400, WEAK_PASSWORD), (404, NO_USER)],
};

/// Returns what the audit log says of a change.
fn told(password: bool, role: Option<Role>, is_active: Option<bool>) -> String {
    let password = password.then(|| "password".to_owned());
    let role = role.map(|role| format!("role {}", role.as_str()));
    let active = is_active.map(|active| if active { "enabled" } else { "disabled" }.to_owned());
    [password, role, active].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Changes an account. A new password, or that the user becomes inactive, ends every login of the user.
pub(super) async fn update(
    State(app): State<AppState>,
    call: Authed<Change>,
) -> Result<Json<Reply<Account>>, AppError> {
    const PREFIX: &str = "Error updating user";
    let Change { username, password, role, is_active } = call.input;
    call.trail.note(told(password.is_some(), role, is_active));
    let password = match password {
        Some(password) => Some((password, app.turn_to_hash().await?)),
        None => None,
    };
    let changed = app
        .with_store(PREFIX, move |store| {
            let hashed = password.map(|(password, turn)| turn.run(|| hash_new_password(&password)));
            let hashed_password = hashed.transpose()?;
            let change = AdminChange { hashed_password, role: role.map(|role| role.as_str().into()), is_active };
            store.update_admin(&username, &change, Timestamp::now())
        })
        .await
        .map_err(account_error(PREFIX))?;
    Ok(Json(reply(format!("User {} updated successfully", changed.username), Account::of(&changed))))
}

input! {
    /// A slice of the audit log.
    pub(crate) struct Slice {
        query {
            skip: u32 = SKIP,
            limit: u32 = LIMIT,
        }
    }
}

/// An entry of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditItem {
    id: i64,
    timestamp: String,
    /// Who did it.
    actor: String,
    /// The endpoint, or a word such as `login`.
    action: String,
    /// To whom or to what.
    #[schema(required)]
    subject: Option<String>,
    #[schema(required)]
    details: Option<String>,
    /// The people whom subject and details name by a number, as they are called now. Who was erased is not among them:
    /// the log keeps no name that an erasure would have to find.
    people: Vec<NamedPerson>,
}

/// A person whom an entry is about.
#[derive(Serialize, ToSchema)]
struct NamedPerson {
    student_id: i64,
    name: String,
    roll_number: String,
}

impl NamedPerson {
    fn of(student: &Student) -> Self {
        let Student { id, name, roll_number, .. } = student;
        Self { student_id: id.0, name: name.clone(), roll_number: roll_number.clone() }
    }
}

impl AuditItem {
    fn of(AuditEntry { id, entry }: &AuditEntry, people: Vec<NamedPerson>) -> Self {
        Self {
            people,
            id: *id,
            timestamp: naive_utc(entry.at),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            subject: entry.subject.clone(),
            details: entry.details.clone(),
        }
    }
}

pub(super) const AUDIT: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/audit",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Accounts,
    summary: "Lists who changed what, newest first",
    errors: &[],
};

pub(super) async fn audit(
    State(app): State<AppState>,
    call: Authed<Slice>,
) -> Result<Json<Listing<AuditItem>>, AppError> {
    let Slice { skip, limit } = call.input;
    let page = Page { skip, limit };
    let (entries, people) = app
        .with_store("Error retrieving the audit log", move |store| {
            let entries = store.audit(page)?;
            let mut people = BTreeMap::new();
            for id in entries.items.iter().flat_map(|listed| listed.entry.students()) {
                if let Entry::Vacant(place) = people.entry(id.0) {
                    place.insert(store.student(id)?);
                }
            }
            Ok((entries, people))
        })
        .await?;
    let named = |entry: &AuditEntry| {
        let students = entry.entry.students().into_iter().filter_map(|id| people.get(&id.0)?.as_ref());
        AuditItem::of(entry, students.map(NamedPerson::of).collect())
    };
    Ok(Json(page_of(&entries, page, named)))
}
