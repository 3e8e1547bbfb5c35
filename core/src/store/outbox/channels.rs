//! The channels that carry notices, and the rules that say which.

use super::super::codec::{
    FaceColumn, Form, NotOpened, Resealed, SealContext, TemplateForms, TemplateKeys, form_of_text,
};
use super::super::limits::{self, fits, has_no_control_character, is_blank};
use super::super::portable::Kind;
use super::super::text_keys::camera_key;
use super::super::{
    AlertChannel, AlertChannelSettings, AlertEvent, AlertRule, AlertRuleSettings, AlertSecret, MailSecurity,
    NewAlertChannel, NewAlertRule,
};
use super::statements::{Cells, Statements, values};
use crate::error::{Error, Result};

pub(in crate::store) const NO_CHANNEL: Error = Error::NotFound { what: "channel of notices" };
pub(in crate::store) const NO_RULE: Error = Error::NotFound { what: "rule of notices" };
const TAKEN: Error = Error::Conflict { what: "channel with this name" };

const CHANNEL: &str = "id, name, settings, secret, paused, created_at, created_by, changed_at, changed_by";
const CHANNEL_KINDS: [Kind; 9] =
    [Kind::Int, Kind::Text, Kind::Text, Kind::Text, Kind::Bool, Kind::Micros, Kind::Text, Kind::Micros, Kind::Text];

/// The shortest secret that signs: 128 bits in hexadecimal would be 32, but people also type words.
const SHORTEST_SECRET: usize = 16;

pub(in crate::store) fn channels<S: Statements>(
    db: &mut S,
    keys: &TemplateKeys,
) -> Result<Vec<AlertChannel>, S::Fault> {
    let rows = db.rows(&format!("SELECT {CHANNEL} FROM alert_channels ORDER BY name_key"), &[], &CHANNEL_KINDS)?;
    rows.iter().map(|row| Ok(channel_of(row, keys)?)).collect()
}

pub(in crate::store) fn channel<S: Statements>(
    db: &mut S,
    keys: &TemplateKeys,
    id: i64,
) -> Result<Option<AlertChannel>, S::Fault> {
    let query = format!("SELECT {CHANNEL} FROM alert_channels WHERE id = $1");
    let row = db.rows(&query, values![id], &CHANNEL_KINDS)?.pop();
    Ok(row.map(|row| channel_of(&row, keys)).transpose()?)
}

fn channel_of(row: &Cells, keys: &TemplateKeys) -> Result<AlertChannel> {
    let (id, name) = (row.int(0), row.text(1));
    let secret = match row.maybe_text(3) {
        None => AlertSecret::None,
        Some(secret) => match opened(keys, id, &secret) {
            Ok(secret) => AlertSecret::Known(secret),
            Err(refused) => AlertSecret::Locked(why_locked(&name, &refused)),
        },
    };
    Ok(AlertChannel {
        id,
        settings: settings_of(&row.text(2), "alert_channels", id)?,
        name,
        secret,
        paused: row.flag(4),
        created_at: row.time(5),
        created_by: row.text(6),
        changed_at: row.time(7),
        changed_by: row.text(8),
    })
}

fn settings_of<T: serde::de::DeserializeOwned>(text: &str, table: &str, id: i64) -> Result<T> {
    serde_json::from_str(text).map_err(|_| {
        let reason = format!("the settings of {table} {id} cannot be read: was it written by a newer version?");
        Error::Store { reason, source: None }
    })
}

fn text_of(settings: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(settings).map_err(|error| Error::Internal { reason: error.to_string() })
}

/// Adds a channel, or changes the one with this id.
pub(in crate::store) fn keep_channel<S: Statements>(
    db: &mut S,
    keys: &TemplateKeys,
    id: Option<i64>,
    new: &NewAlertChannel,
) -> Result<AlertChannel, S::Fault> {
    channel_fits(new)?;
    let all = channels(db, keys)?;
    let before = id.map(|id| all.iter().find(|channel| channel.id == id).ok_or(NO_CHANNEL)).transpose()?;
    let key = camera_key(&new.name);
    if all.iter().any(|other| Some(other.id) != id && camera_key(&other.name) == key) {
        return Err(TAKEN.into());
    }
    if id.is_none() && all.len() >= limits::ALERT_CHANNELS {
        let reason = format!("{} are kept already, which is the most: remove some", all.len());
        return Err(Error::invalid_input("channels of notices", reason).into());
    }
    let settings = text_of(&new.settings)?;
    let id = match before {
        Some(before) => {
            db.run(
                "UPDATE alert_channels SET name = $2, name_key = $3, settings = $4, paused = $5, changed_at = $6,
                     changed_by = $7 WHERE id = $1",
                values![before.id, new.name.as_str(), key, settings, new.paused, new.at, new.by.as_str()],
            )?;
            before.id
        }
        None => db
            .rows(
                "INSERT INTO alert_channels (name, name_key, settings, paused, created_at, created_by, changed_at,
                     changed_by) VALUES ($1, $2, $3, $4, $5, $6, $5, $6) RETURNING id",
                values![new.name.as_str(), key, settings, new.paused, new.at, new.by.as_str()],
                &[Kind::Int],
            )?
            .first()
            .map_or(0, |row| row.int(0)),
    };
    let stays = before.is_some_and(|before| is_same_place(&before.settings, &new.settings));
    match new.secret.as_deref().filter(|secret| !secret.is_empty()) {
        Some(secret) => {
            let sealed = keys.seal_text(&context(id), secret)?.into_owned();
            db.run("UPDATE alert_channels SET secret = $2 WHERE id = $1", values![id, sealed])?;
        }
        None if stays => {}
        None => {
            db.run("UPDATE alert_channels SET secret = NULL WHERE id = $1", values![id])?;
        }
    }
    let kept = channel(db, keys, id)?.ok_or(NO_CHANNEL)?;
    must_have_secret(&kept)?;
    Ok(kept)
}

/// Returns whether a secret that was typed for the one place may be used for the other.
fn is_same_place(one: &AlertChannelSettings, other: &AlertChannelSettings) -> bool {
    use AlertChannelSettings::{Email, Webhook};
    match (one, other) {
        // A signature betrays nothing of its secret.
        (Webhook { .. }, Webhook { .. }) => true,
        (
            Email { host, port, user, security, .. },
            Email { host: to_host, port: to_port, user: to_user, security: to_security, .. },
        ) => {
            let is_as_safe = security == to_security || *to_security != MailSecurity::Plain;
            host.eq_ignore_ascii_case(to_host) && port == to_port && user == to_user && is_as_safe
        }
        _ => false,
    }
}

/// A webhook that nobody can check is of no use, and neither is a login without a password.
fn must_have_secret(channel: &AlertChannel) -> Result<()> {
    if channel.secret != AlertSecret::None {
        return Ok(());
    }
    match &channel.settings {
        AlertChannelSettings::Webhook { .. } => {
            Err(Error::invalid_input("secret of a webhook", "it signs what is sent: choose one"))
        }
        AlertChannelSettings::Email { user: Some(_), .. } => {
            Err(Error::invalid_input("password of a mail server", "a login needs one; type it again for another host"))
        }
        AlertChannelSettings::Email { .. } => Ok(()),
    }
}

fn channel_fits(new: &NewAlertChannel) -> Result<()> {
    name_fits("name of a channel", &new.name)?;
    if let Some(secret) = new.secret.as_deref().filter(|secret| !secret.is_empty()) {
        fits("secret of a channel", secret, limits::ALERT_SECRET)?;
    }
    match &new.settings {
        AlertChannelSettings::Webhook { url } => {
            fits("address of a webhook", url, limits::ALERT_URL)?;
            webhook_fits(url)?;
            let is_short = |secret: &&str| !secret.is_empty() && secret.chars().count() < SHORTEST_SECRET;
            if new.secret.as_deref().filter(is_short).is_some() {
                let reason = format!("it needs at least {SHORTEST_SECRET} characters");
                return Err(Error::invalid_input("secret of a webhook", reason));
            }
        }
        AlertChannelSettings::Email { host, port, security, user, from, window_minutes } => {
            fits("mail server", host, limits::ALERT_HOST)?;
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
            if host.is_empty() || !host.bytes().all(is_host) || *port == 0 {
                return Err(Error::invalid_input("mail server", "expected a name or an address, and a port"));
            }
            fits("user of a mail server", user.as_deref().unwrap_or_default(), limits::PERSON)?;
            has_no_control_character("user of a mail server", user.as_deref().unwrap_or_default())?;
            if user.is_some() && *security == MailSecurity::Plain {
                let reason = "a password does not go over a connection that is not encrypted: choose STARTTLS or TLS";
                return Err(Error::invalid_input("mail server", reason));
            }
            fits("sender", from, limits::PERSON)?;
            has_no_control_character("sender", from)?;
            email_fits("sender", mailbox_of(from))?;
            if *window_minutes > limits::ALERT_WINDOW_MINUTES {
                let reason = format!("at most {} minutes", limits::ALERT_WINDOW_MINUTES);
                return Err(Error::invalid_input("time that is collected", reason));
            }
        }
    }
    Ok(())
}

/// Returns the address in `School <office@school.example>`.
fn mailbox_of(from: &str) -> &str {
    let inner = from.rsplit_once('<').and_then(|(_, rest)| rest.trim_end().strip_suffix('>'));
    inner.unwrap_or(from).trim()
}

fn webhook_fits(url: &str) -> Result<()> {
    let wrong = |reason: &str| Err(Error::invalid_input("address of a webhook", reason));
    let Some((scheme, rest)) = url.split_once("://") else {
        return wrong("expected https://HOST/PATH, or http:// in your own network");
    };
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return wrong("expected https://HOST/PATH, or http:// in your own network");
    }
    if url.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') || !url.is_ascii() {
        return wrong("it holds a character that has to be percent-encoded");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return wrong("it has no host");
    }
    if authority.contains('@') {
        return wrong("it holds a login, which would be shown: the signature proves who sends");
    }
    Ok(())
}

/// Checks that this can be an e-mail address. Whether somebody has it only a letter shows.
pub(in crate::store) fn email_fits(what: &'static str, address: &str) -> Result<()> {
    let wrong = || Error::invalid_input(what, "expected an e-mail address such as office@school.example");
    fits(what, address, limits::EMAIL)?;
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let is_sign = |letter: char| !letter.is_whitespace() && !letter.is_control() && !"<>(),;:\\\"[]@".contains(letter);
    let labels = domain.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    });
    let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    if local.is_empty() || local.len() > 64 || !local.chars().all(is_sign) || !dots || !labels {
        return Err(wrong());
    }
    Ok(())
}

/// Checks that this is a language of the pages, by its form: a word of letters.
pub(in crate::store) fn language_fits(language: &str) -> Result<()> {
    let is_language =
        (2..=10).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if is_language { Ok(()) } else { Err(Error::invalid_input("language", "expected a code such as en or de")) }
}

fn name_fits(what: &'static str, name: &str) -> Result<()> {
    fits(what, name, limits::ALERT_NAME)?;
    has_no_control_character(what, name)?;
    if is_blank(name) {
        return Err(Error::invalid_input(what, "it is empty"));
    }
    Ok(())
}

/// Removes a channel, with what waits for it.
pub(in crate::store) fn remove_channel<S: Statements>(
    db: &mut S,
    keys: &TemplateKeys,
    id: i64,
) -> Result<AlertChannel, S::Fault> {
    let gone = channel(db, keys, id)?.ok_or(NO_CHANNEL)?;
    db.run("DELETE FROM outbox WHERE channel_id = $1 AND state <> 'sent'", values![id])?;
    db.run("DELETE FROM alert_channels WHERE id = $1", values![id])?;
    Ok(gone)
}

const RULE: &str = "id, name, event, settings, paused, created_at, created_by, changed_at, changed_by";

pub(in crate::store) fn rules<S: Statements>(db: &mut S) -> Result<Vec<AlertRule>, S::Fault> {
    let rows = db.rows(&format!("SELECT {RULE} FROM alert_rules ORDER BY id"), &[], &CHANNEL_KINDS)?;
    Ok(rows.iter().map(rule_of).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Returns the rules of this event that are not paused.
pub(super) fn rules_for<S: Statements>(db: &mut S, event: AlertEvent) -> Result<Vec<AlertRule>, S::Fault> {
    let query = format!("SELECT {RULE} FROM alert_rules WHERE event = $1 ORDER BY id");
    let rows = db.rows(&query, values![event.as_str()], &CHANNEL_KINDS)?;
    let rules = rows.iter().map(rule_of).collect::<Result<Vec<_>>>()?;
    Ok(rules.into_iter().flatten().filter(|rule| !rule.paused).collect())
}

pub(super) fn rule<S: Statements>(db: &mut S, id: i64) -> Result<Option<AlertRule>, S::Fault> {
    let row = db.rows(&format!("SELECT {RULE} FROM alert_rules WHERE id = $1"), values![id], &CHANNEL_KINDS)?.pop();
    Ok(row.map(|row| rule_of(&row)).transpose()?.flatten())
}

/// `None` for an event that this version does not know.
fn rule_of(row: &Cells) -> Result<Option<AlertRule>> {
    let (id, Some(event)) = (row.int(0), AlertEvent::from_code(&row.text(2))) else { return Ok(None) };
    Ok(Some(AlertRule {
        id,
        name: row.text(1),
        event,
        settings: settings_of(&row.text(3), "alert_rules", id)?,
        paused: row.flag(4),
        created_at: row.time(5),
        created_by: row.text(6),
        changed_at: row.time(7),
        changed_by: row.text(8),
    }))
}

/// Adds a rule, or changes the one with this id.
pub(in crate::store) fn keep_rule<S: Statements>(
    db: &mut S,
    keys: &TemplateKeys,
    id: Option<i64>,
    new: &NewAlertRule,
) -> Result<AlertRule, S::Fault> {
    let channels = channels(db, keys)?;
    rule_fits(new, &channels)?;
    let settings = text_of(&new.settings)?;
    let id = match id {
        Some(id) => {
            let changed = db.run(
                "UPDATE alert_rules SET name = $2, event = $3, settings = $4, paused = $5, changed_at = $6,
                     changed_by = $7 WHERE id = $1",
                values![id, new.name.as_str(), new.event.as_str(), settings, new.paused, new.at, new.by.as_str()],
            )?;
            if changed == 0 {
                return Err(NO_RULE.into());
            }
            id
        }
        None => {
            let number = db.rows("SELECT count(*) FROM alert_rules", &[], &[Kind::Int])?;
            if number.first().map_or(0, |row| row.count(0)) >= limits::ALERT_RULES {
                let reason = format!("{} are kept already, which is the most: remove some", limits::ALERT_RULES);
                return Err(Error::invalid_input("rules of notices", reason).into());
            }
            db.rows(
                "INSERT INTO alert_rules (name, event, settings, paused, created_at, created_by, changed_at,
                     changed_by) VALUES ($1, $2, $3, $4, $5, $6, $5, $6) RETURNING id",
                values![new.name.as_str(), new.event.as_str(), settings, new.paused, new.at, new.by.as_str()],
                &[Kind::Int],
            )?
            .first()
            .map_or(0, |row| row.int(0))
        }
    };
    Ok(rule(db, id)?.ok_or(NO_RULE)?)
}

fn rule_fits(new: &NewAlertRule, channels: &[AlertChannel]) -> Result<()> {
    let wrong = |what: &'static str, reason: &str| Err(Error::invalid_input(what, reason));
    let AlertRuleSettings { groups, addresses, guardians, language, at, after_minutes, .. } = &new.settings;
    name_fits("name of a rule", &new.name)?;
    language_fits(language)?;
    if new.settings.channels.is_empty() {
        return wrong("rule of notices", "it needs a channel");
    }
    if addresses.len() > limits::ALERT_ADDRESSES {
        let reason = format!("at most {}: use an address of a list for more", limits::ALERT_ADDRESSES);
        return wrong("addresses of a rule", &reason);
    }
    addresses.iter().try_for_each(|address| email_fits("address of a rule", address))?;
    let mut sends_letters = false;
    for id in &new.settings.channels {
        let channel = channels.iter().find(|channel| channel.id == *id).ok_or(NO_CHANNEL)?;
        sends_letters |= matches!(channel.settings, AlertChannelSettings::Email { .. });
    }
    if sends_letters && addresses.is_empty() && !guardians {
        return wrong("rule of notices", "a letter needs a recipient: give addresses, or send to the guardians");
    }
    if !new.event.is_of_a_student() && *guardians {
        return wrong("rule of notices", "a camera has no guardians");
    }
    if !new.event.is_of_a_student() && groups.is_some() {
        return wrong("rule of notices", "a camera belongs to no group of students");
    }
    if groups.as_ref().is_some_and(Vec::is_empty) {
        return wrong("rule of notices", "it names no group: choose some, or all students");
    }
    if (new.event == AlertEvent::Absent) != at.is_some() {
        return wrong("rule of notices", "the absent are told at a time of the day, and nobody else is");
    }
    match (new.event, after_minutes) {
        (AlertEvent::CameraDown, Some(1..=1440)) => Ok(()),
        (AlertEvent::CameraDown, _) => wrong("rule of notices", "a camera must be down for 1 to 1440 minutes"),
        (_, None) => Ok(()),
        (_, Some(_)) => wrong("rule of notices", "only a camera is waited for by minutes"),
    }
}

/// Removes a rule, with what waits because of it.
pub(in crate::store) fn remove_rule<S: Statements>(db: &mut S, id: i64) -> Result<AlertRule, S::Fault> {
    let gone = rule(db, id)?.ok_or(NO_RULE)?;
    db.run("DELETE FROM outbox WHERE rule_id = $1 AND state <> 'sent'", values![id])?;
    db.run("DELETE FROM alert_days WHERE rule_id = $1", values![id])?;
    db.run("DELETE FROM alert_rules WHERE id = $1", values![id])?;
    Ok(gone)
}

fn context(id: i64) -> SealContext {
    SealContext::new(FaceColumn::AlertChannelSecret, id)
}

/// A plain secret is good with keys too, as that of a camera is.
fn opened(keys: &TemplateKeys, id: i64, secret: &str) -> Result<String, NotOpened> {
    match form_of_text(secret) {
        Form::Plain => Ok(secret.to_owned()),
        Form::Sealed(_) | Form::Broken => keys.open_text(&context(id), secret).map(std::borrow::Cow::into_owned),
    }
}

fn why_locked(name: &str, refused: &NotOpened) -> String {
    match refused {
        NotOpened::NoKey(key) => format!(
            "the secret of the channel {name:?} is encrypted with the key {key}, which was not given: start with a key \
             file that holds it (--template-key-file FILE), or type the secret again"
        ),
        NotOpened::NoCipher => {
            format!("the secret of the channel {name:?} is encrypted, and this build cannot open it")
        }
        NotOpened::Damaged | NotOpened::Plain => {
            format!("the secret of the channel {name:?} cannot be read any more: type it again")
        }
    }
}

fn secrets<S: Statements>(db: &mut S) -> Result<Vec<(i64, String, String)>, S::Fault> {
    let query = "SELECT id, name, secret FROM alert_channels WHERE secret IS NOT NULL ORDER BY id";
    let rows = db.rows(query, &[], &[Kind::Int, Kind::Text, Kind::Text])?;
    Ok(rows.iter().map(|row| (row.int(0), row.text(1), row.text(2))).collect())
}

/// Counts how the secrets lie in the table.
pub(in crate::store) fn forms<S: Statements>(db: &mut S) -> Result<TemplateForms, S::Fault> {
    let mut forms = TemplateForms::default();
    for (.., secret) in secrets(db)? {
        forms.add(form_of_text(&secret));
    }
    Ok(forms)
}

/// Brings every secret into the form in which `keys` write.
pub(in crate::store) fn reseal<S: Statements>(db: &mut S, keys: &TemplateKeys) -> Result<Resealed, S::Fault> {
    let mut done = Resealed::default();
    for (id, name, secret) in secrets(db)? {
        if form_of_text(&secret) == keys.form() {
            done.unchanged += 1;
            continue;
        }
        match opened(keys, id, &secret) {
            Ok(plain) => {
                let sealed = keys.seal_text(&context(id), &plain)?.into_owned();
                db.run("UPDATE alert_channels SET secret = $2 WHERE id = $1", values![id, sealed])?;
                done.changed += 1;
            }
            Err(NotOpened::Damaged | NotOpened::Plain) => done.damaged.push(format!("alert_channels {id}")),
            Err(refused) => return Err(Error::Store { reason: why_locked(&name, &refused), source: None }.into()),
        }
    }
    Ok(done)
}
