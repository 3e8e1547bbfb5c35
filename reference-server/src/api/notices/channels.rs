//! The channels that carry notices. No answer holds a secret.

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use faceattend_core::Error;
use faceattend_core::store::{AlertChannel, AlertChannelSettings, AlertSecret, MailSecurity, NewAlertChannel};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::AppError;
use crate::request::extract::Authed;
use crate::request::input::{Nothing, input};
use crate::request::kinds::{FlagOr, Integer, Optional, Word};
use crate::request::texts;
use crate::responses::{Done, Reply, done, naive_utc, reply};
use crate::router::endpoint::{Access, Audit, Endpoint, Tag};
use crate::state::{AppState, blocking};

const NO_CHANNEL: &str = "Channel not found";
const TAKEN: &str = "A channel with this name is there already";
const NOT_KEPT: &str = "Error keeping the channel: what is wrong with it";

/// A channel that carries notices.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelItem {
    channel_id: i64,
    name: String,
    /// `webhook` or `email`.
    kind: &'static str,
    /// The address of a webhook.
    #[schema(required)]
    url: Option<String>,
    /// The mail server.
    #[schema(required)]
    host: Option<String>,
    #[schema(required)]
    port: Option<u16>,
    /// `start_tls`, `tls` or `plain`.
    #[schema(required)]
    security: Option<&'static str>,
    /// The name to log in with.
    #[schema(required)]
    user: Option<String>,
    /// The sender of letters.
    #[schema(required)]
    from: Option<String>,
    /// For how many minutes letters collect what happens.
    #[schema(required)]
    window_minutes: Option<u16>,
    /// Whether a secret is kept: no answer ever holds it.
    has_secret: bool,
    /// Why the secret cannot be used.
    #[schema(required)]
    problem: Option<String>,
    paused: bool,
    created_at: String,
    created_by: String,
    changed_at: String,
    changed_by: String,
}

impl ChannelItem {
    fn of(channel: AlertChannel) -> Self {
        let kind = channel.settings.kind();
        let problem = match &channel.secret {
            AlertSecret::Locked(reason) => Some(reason.clone()),
            AlertSecret::None | AlertSecret::Known(_) => None,
        };
        let mut item = Self {
            channel_id: channel.id,
            name: channel.name,
            kind,
            url: None,
            host: None,
            port: None,
            security: None,
            user: None,
            from: None,
            window_minutes: None,
            has_secret: channel.secret != AlertSecret::None,
            problem,
            paused: channel.paused,
            created_at: naive_utc(channel.created_at),
            created_by: channel.created_by,
            changed_at: naive_utc(channel.changed_at),
            changed_by: channel.changed_by,
        };
        match channel.settings {
            AlertChannelSettings::Webhook { url } => item.url = Some(url),
            AlertChannelSettings::Email { host, port, security, user, from, window_minutes } => {
                item.host = Some(host);
                item.port = Some(port);
                item.security = Some(security.as_str());
                item.user = user;
                item.from = Some(from);
                item.window_minutes = Some(window_minutes);
            }
        }
        item
    }
}

/// Every channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelItems {
    channels: Vec<ChannelItem>,
}

fn channel_error(error: AppError) -> AppError {
    match error {
        AppError::Core(_, Error::Conflict { .. }) => AppError::Detail(StatusCode::CONFLICT, TAKEN.into()),
        AppError::Core(_, Error::NotFound { .. }) => AppError::not_found(NO_CHANNEL),
        other => other,
    }
}

pub(in crate::api) const LIST: Endpoint = Endpoint {
    method: Method::GET,
    path: "/api/v1/notices/channels",
    access: Access::Admin,
    audit: Audit::None,
    tag: Tag::Notices,
    summary: "Lists the channels that carry notices",
    errors: &[],
};

pub(in crate::api) async fn list(
    State(app): State<AppState>,
    _call: Authed<Nothing>,
) -> Result<Json<Reply<ChannelItems>>, AppError> {
    let channels = app.with_store("Error retrieving channels", |store| store.alert_channels()).await?;
    let channels = channels.into_iter().map(ChannelItem::of).collect();
    Ok(Json(reply("Channels retrieved successfully", ChannelItems { channels })))
}

#[derive(Clone, Copy)]
pub(crate) enum ChannelKind {
    Webhook,
    Email,
}

const KIND: Word<ChannelKind> = Word(&[("webhook", ChannelKind::Webhook), ("email", ChannelKind::Email)]);
const SECURITY: Word<MailSecurity> =
    Word(&[("start_tls", MailSecurity::StartTls), ("tls", MailSecurity::Tls), ("plain", MailSecurity::Plain)]);

input! {
    /// A channel to keep.
    pub(crate) struct NewChannel {
        body Json {
            name: String = texts::ALERT_NAME,
            kind: ChannelKind = KIND,
            /// The address of a webhook.
            url: Option<String> = Optional(texts::ALERT_URL),
            /// The mail server.
            host: Option<String> = Optional(texts::ALERT_HOST),
            /// Its port; without one, the usual one of `security`.
            port: Option<i64> = Optional(Integer),
            /// How the connection is encrypted; without a word by STARTTLS.
            security: Option<MailSecurity> = Optional(SECURITY),
            /// The name to log in with.
            user: Option<String> = Optional(texts::ALERT_USER),
            /// The sender, such as `School <office@school.example>`.
            from: Option<String> = Optional(texts::ALERT_FROM),
            /// For how many minutes letters collect what happens; without a number for 5.
            window_minutes: Option<i64> = Optional(Integer),
            /// What signs a webhook, or the password of the mail server.
            secret: Option<String> = Optional(texts::ALERT_SECRET),
            paused: bool = FlagOr(false),
        }
    }
}

input! {
    /// The channel in the path as it is to be from now on. Without a secret the one that is there stays, as long as the
    /// channel leads to the same host and user.
    pub(crate) struct ChangedChannel {
        path {
            channel_id: i64 = Integer,
        }
        body Json {
            name: String = texts::ALERT_NAME,
            kind: ChannelKind = KIND,
            url: Option<String> = Optional(texts::ALERT_URL),
            host: Option<String> = Optional(texts::ALERT_HOST),
            port: Option<i64> = Optional(Integer),
            security: Option<MailSecurity> = Optional(SECURITY),
            user: Option<String> = Optional(texts::ALERT_USER),
            from: Option<String> = Optional(texts::ALERT_FROM),
            window_minutes: Option<i64> = Optional(Integer),
            secret: Option<String> = Optional(texts::ALERT_SECRET),
            paused: bool = FlagOr(false),
        }
    }
}

/// For how many minutes letters collect, unless somebody says it: a class arrives within five.
const WINDOW: i64 = 5;

impl NewChannel {
    fn settings(&self) -> Result<AlertChannelSettings, Error> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default().trim().to_owned();
        match self.kind {
            ChannelKind::Webhook => Ok(AlertChannelSettings::Webhook { url: text(&self.url) }),
            ChannelKind::Email => {
                let security = self.security.unwrap_or_default();
                let usual = match security {
                    MailSecurity::StartTls => 587,
                    MailSecurity::Tls => 465,
                    MailSecurity::Plain => 25,
                };
                let number = |what: &'static str, number: i64| {
                    u16::try_from(number)
                        .map_err(|_| Error::InvalidInput { what, reason: "it lies between 0 and 65535".into() })
                };
                Ok(AlertChannelSettings::Email {
                    host: text(&self.host),
                    port: number("port", self.port.unwrap_or(usual))?,
                    security,
                    user: Some(text(&self.user)).filter(|user| !user.is_empty()),
                    from: text(&self.from),
                    window_minutes: number("time that is collected", self.window_minutes.unwrap_or(WINDOW))?,
                })
            }
        }
    }
}

const KEEPING: &str = "Error keeping the channel";

async fn keep(app: &AppState, id: Option<i64>, new: NewChannel, by: String) -> Result<AlertChannel, AppError> {
    let settings = new.settings().map_err(|error| AppError::Core(KEEPING, error))?;
    let NewChannel { name, secret, paused, .. } = new;
    let new = NewAlertChannel { name: name.trim().to_owned(), settings, secret, paused, by, at: Timestamp::now() };
    app.with_store(KEEPING, move |store| store.keep_alert_channel(id, &new)).await.map_err(channel_error)
}

/// Returns what the audit log says of a channel. An address may hold what is a secret to others.
fn told_of(channel: &AlertChannel) -> String {
    format!("{} {}{}", channel.settings.kind(), channel.name, if channel.paused { ", paused" } else { "" })
}

pub(in crate::api) const CREATE: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/notices/channels",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Adds a channel that carries notices",
    errors: &[(400, NOT_KEPT), (409, TAKEN)],
};

pub(in crate::api) async fn create(
    State(app): State<AppState>,
    call: Authed<NewChannel>,
) -> Result<Json<Reply<ChannelItem>>, AppError> {
    let kept = keep(&app, None, call.input, call.user).await?;
    call.trail.note(told_of(&kept));
    Ok(Json(reply("Channel added", ChannelItem::of(kept))))
}

pub(in crate::api) const UPDATE: Endpoint = Endpoint {
    method: Method::PUT,
    path: "/api/v1/notices/channels/{channel_id}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Changes a channel that carries notices",
    errors: &[(400, NOT_KEPT), (404, NO_CHANNEL), (409, TAKEN)],
};

pub(in crate::api) async fn update(
    State(app): State<AppState>,
    call: Authed<ChangedChannel>,
) -> Result<Json<Reply<ChannelItem>>, AppError> {
    let input = call.input;
    let new = NewChannel {
        name: input.name,
        kind: input.kind,
        url: input.url,
        host: input.host,
        port: input.port,
        security: input.security,
        user: input.user,
        from: input.from,
        window_minutes: input.window_minutes,
        secret: input.secret,
        paused: input.paused,
    };
    let kept = keep(&app, Some(input.channel_id), new, call.user).await?;
    call.trail.note(told_of(&kept));
    Ok(Json(reply("Channel changed", ChannelItem::of(kept))))
}

input! {
    /// The channel in the path.
    pub(crate) struct WhichChannel {
        path {
            channel_id: i64 = Integer,
        }
    }
}

pub(in crate::api) const REMOVE: Endpoint = Endpoint {
    method: Method::DELETE,
    path: "/api/v1/notices/channels/{channel_id}",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Removes a channel, with what waits for it",
    errors: &[(404, NO_CHANNEL)],
};

pub(in crate::api) async fn remove(
    State(app): State<AppState>,
    call: Authed<WhichChannel>,
) -> Result<Json<Done>, AppError> {
    let id = call.input.channel_id;
    let removed = app.with_store(KEEPING, move |store| store.remove_alert_channel(id)).await.map_err(channel_error)?;
    call.trail.note(told_of(&removed));
    Ok(Json(done("Channel removed")))
}

input! {
    /// The channel to try out.
    pub(crate) struct TriedChannel {
        path {
            channel_id: i64 = Integer,
        }
        body OptionalDictionary {
            /// To whom a letter goes; without it to the sender itself.
            address: Option<String> = Optional(texts::EMAIL),
        }
    }
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tested {
    channel_id: i64,
    /// Whether the other end took the message.
    delivered: bool,
    /// What it answered, or why it could not be asked.
    answer: String,
}

pub(in crate::api) const TEST: Endpoint = Endpoint {
    method: Method::POST,
    path: "/api/v1/notices/channels/{channel_id}/test",
    access: Access::Admin,
    audit: Audit::Entry,
    tag: Tag::Notices,
    summary: "Sends a message that tells nothing over a channel, and returns the answer",
    errors: &[(404, NO_CHANNEL)],
};

pub(in crate::api) async fn test(
    State(app): State<AppState>,
    call: Authed<TriedChannel>,
) -> Result<Json<Reply<Tested>>, AppError> {
    let TriedChannel { channel_id, address } = call.input;
    let trying = app.clone();
    let channels = app.with_store(KEEPING, |store| store.alert_channels()).await?;
    let channel = channels.into_iter().find(|channel| channel.id == channel_id);
    let channel = channel.ok_or_else(|| AppError::not_found(NO_CHANNEL))?;
    call.trail.note(told_of(&channel));
    let tried =
        blocking("Error trying the channel", move || Ok(trying.live().notices().test(&channel, address.as_deref())));
    let (delivered, answer) = match tried.await? {
        Ok(answer) => (true, answer),
        Err(failure) => (false, failure.reason),
    };
    let message = if delivered { "The message was taken" } else { "The message was not taken" };
    Ok(Json(reply(message, Tested { channel_id, delivered, answer })))
}
