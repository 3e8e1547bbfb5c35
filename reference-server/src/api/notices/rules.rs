//! The rules that say which events are told to whom.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use faceattend_core::Error;
use faceattend_core::store::{AlertEvent, AlertRule, AlertRuleSettings, NewAlertRule};
use jiff::Timestamp;
use jiff::civil::Time;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{FlagOr, Integer, Optional, TextOr, Word};
use crate::request::lists::{Integers, Texts};
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::AppState;

const NO_RULE: &str = "Rule or channel not found";
const NOT_KEPT: &str = "Error keeping the rule: what is wrong with it";
const KEEPING: &str = "Error keeping the rule";

const EVENT: Word<AlertEvent> = Word(&[
    ("marked", AlertEvent::Marked),
    ("late", AlertEvent::Late),
    ("absent", AlertEvent::Absent),
    ("left", AlertEvent::Left),
    ("left_early", AlertEvent::LeftEarly),
    ("spoof_suspected", AlertEvent::SpoofSuspected),
    ("camera_down", AlertEvent::CameraDown),
]);

/// A rule of notices.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleItem {
    rule_id: i64,
    name: String,
    /// `marked`, `late`, `absent`, `left`, `left_early`, `spoof_suspected` or `camera_down`.
    event: &'static str,
    /// The groups that it is about; null for all students.
    #[schema(required)]
    groups: Option<Vec<i64>>,
    channels: Vec<i64>,
    addresses: Vec<String>,
    /// Whether the guardians of the student are told.
    guardians: bool,
    language: String,
    /// When it is asked who is absent, such as `09:00`.
    #[schema(required)]
    at: Option<String>,
    /// For how many minutes a camera must be down.
    #[schema(required)]
    after_minutes: Option<u16>,
    paused: bool,
    created_at: String,
    created_by: String,
    changed_at: String,
    changed_by: String,
}

impl RuleItem {
    fn of(rule: AlertRule) -> Self {
        let AlertRuleSettings { groups, channels, addresses, guardians, language, at, after_minutes } = rule.settings;
        Self {
            rule_id: rule.id,
            name: rule.name,
            event: rule.event.as_str(),
            groups,
            channels,
            addresses,
            guardians,
            language,
            at: at.map(|at| at.strftime("%H:%M").to_string()),
            after_minutes,
            paused: rule.paused,
            created_at: naive_utc(rule.created_at),
            created_by: rule.created_by,
            changed_at: naive_utc(rule.changed_at),
            changed_by: rule.changed_by,
        }
    }
}

/// Every rule.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleItems {
    rules: Vec<RuleItem>,
}

pub(in crate::api) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/notices/rules",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Notices,
    summary: "Lists the rules of notices",
    errors: &[],
};

pub(in crate::api) async fn list(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<RuleItems>>, AppError> {
    let rules = app.with_store("Error retrieving rules", |store| store.alert_rules()).await?;
    let rules = rules.into_iter().map(RuleItem::of).collect();
    Ok(Json(reply("Rules retrieved successfully", RuleItems { rules })))
}

input! {
    /// A rule to keep.
    pub(crate) struct NewRule {
        body Json {
            name: String = texts::ALERT_NAME,
            event: AlertEvent = EVENT,
            /// The groups that it is about; left out for all students.
            groups: Option<Vec<i64>> = Optional(Integers),
            /// The channels that carry it.
            channels: Vec<i64> = Integers,
            /// To whom e-mail channels send it, a letter to each address.
            addresses: Vec<String> = Texts,
            /// Whether e-mail channels also send it to the guardians of the student.
            guardians: bool = FlagOr(false),
            /// The language of letters to `addresses`.
            language: String = TextOr(texts::LANGUAGE, "en"),
            /// When it is asked who is absent, by the site's clocks, such as `09:00`.
            at: Option<String> = Optional(texts::CLOCK_TIME),
            /// For how many minutes a camera must be down.
            after_minutes: Option<i64> = Optional(Integer),
            paused: bool = FlagOr(false),
        }
    }
}

input! {
    /// The rule in the path as it is to be from now on.
    pub(crate) struct ChangedRule {
        path {
            rule_id: i64 = Integer,
        }
        body Json {
            name: String = texts::ALERT_NAME,
            event: AlertEvent = EVENT,
            groups: Option<Vec<i64>> = Optional(Integers),
            channels: Vec<i64> = Integers,
            addresses: Vec<String> = Texts,
            guardians: bool = FlagOr(false),
            language: String = TextOr(texts::LANGUAGE, "en"),
            at: Option<String> = Optional(texts::CLOCK_TIME),
            after_minutes: Option<i64> = Optional(Integer),
            paused: bool = FlagOr(false),
        }
    }
}

fn invalid(what: &'static str, reason: &str) -> Error {
    Error::InvalidInput { what, reason: reason.into() }
}

impl NewRule {
    fn wanted(self, by: String) -> Result<NewAlertRule, Error> {
        let time = |text: String| {
            let wrong = || invalid("time of a rule", "expected HH:MM, such as 09:00");
            text.trim().parse::<Time>().map_err(|_| wrong())
        };
        let minutes = |minutes: i64| {
            u16::try_from(minutes).map_err(|_| invalid("minutes of a rule", "they lie between 1 and 1440"))
        };
        let addresses = self.addresses.iter().map(|address| address.trim().to_owned());
        Ok(NewAlertRule {
            name: self.name.trim().to_owned(),
            event: self.event,
            settings: AlertRuleSettings {
                groups: self.groups,
                channels: self.channels,
                addresses: addresses.filter(|address| !address.is_empty()).collect(),
                guardians: self.guardians,
                language: self.language,
                at: self.at.filter(|text| !text.trim().is_empty()).map(time).transpose()?,
                after_minutes: self.after_minutes.map(minutes).transpose()?,
            },
            paused: self.paused,
            by,
            at: Timestamp::now(),
        })
    }
}

async fn keep(app: &AppState, id: Option<i64>, new: NewRule, by: String) -> Result<AlertRule, AppError> {
    let new = new.wanted(by).map_err(|error| AppError::Core(KEEPING, error))?;
    app.with_store(KEEPING, move |store| store.keep_alert_rule(id, &new)).await.map_err(rule_error)
}

fn rule_error(error: AppError) -> AppError {
    match error {
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_RULE),
        other => other,
    }
}

/// Returns what the audit log says of a rule, without addresses.
fn told_of(rule: &AlertRule) -> String {
    let to = match (rule.settings.addresses.len(), rule.settings.guardians) {
        (0, false) => String::new(),
        (0, true) => ", to guardians".to_owned(),
        (number, false) => format!(", to {number} addresses"),
        (number, true) => format!(", to guardians and {number} addresses"),
    };
    format!("{}: {}{to}{}", rule.name, rule.event.as_str(), if rule.paused { ", paused" } else { "" })
}

pub(in crate::api) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/notices/rules",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Adds a rule of notices",
    errors: &[(400, NOT_KEPT), (404, NO_RULE)],
};

pub(in crate::api) async fn create(
    State(app): State<AppState>,
    call: Authed<NewRule>,
) -> Result<Json<Reply<RuleItem>>, AppError> {
    let kept = keep(&app, None, call.input, call.user).await?;
    call.trail.note(told_of(&kept));
    Ok(Json(reply("Rule added", RuleItem::of(kept))))
}

pub(in crate::api) const UPDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/notices/rules/{rule_id}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Changes a rule of notices",
    errors: &[(400, NOT_KEPT), (404, NO_RULE)],
};

pub(in crate::api) async fn update(
    State(app): State<AppState>,
    call: Authed<ChangedRule>,
) -> Result<Json<Reply<RuleItem>>, AppError> {
    let input = call.input;
    let new = NewRule {
        name: input.name,
        event: input.event,
        groups: input.groups,
        channels: input.channels,
        addresses: input.addresses,
        guardians: input.guardians,
        language: input.language,
        at: input.at,
        after_minutes: input.after_minutes,
        paused: input.paused,
    };
    let kept = keep(&app, Some(input.rule_id), new, call.user).await?;
    call.trail.note(told_of(&kept));
    Ok(Json(reply("Rule changed", RuleItem::of(kept))))
}

input! {
    /// The rule in the path.
    pub(crate) struct WhichRule {
        path {
            rule_id: i64 = Integer,
        }
    }
}

pub(in crate::api) const REMOVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/notices/rules/{rule_id}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Removes a rule, with what waits because of it",
    errors: &[(404, NO_RULE)],
};

pub(in crate::api) async fn remove(
    State(app): State<AppState>,
    call: Authed<WhichRule>,
) -> Result<Json<Done>, AppError> {
    let id = call.input.rule_id;
    let removed = app.with_store(KEEPING, move |store| store.remove_alert_rule(id)).await.map_err(rule_error)?;
    call.trail.note(told_of(&removed));
    Ok(Json(done("Rule removed")))
}
