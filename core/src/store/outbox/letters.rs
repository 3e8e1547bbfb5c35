//! Takes letters to send them, and notes what became of them.

use std::time::Duration;

use jiff::Timestamp;

use super::super::codec::TemplateKeys;
use super::super::portable::{Kind, Value};
use super::super::{
    AlertChannelSettings, AlertEvent, AlertMessage, FailedTry, Letter, LetterRecipient, LetterState, Listed,
    OutboxFilter, OutboxRow, OutboxState, Page,
};
use super::channels::channel;
use super::events::GUARDIAN;
use super::statements::{Cells, Statements, values};
use crate::error::{Error, Result};
use crate::types::StudentId;

const NO_LETTER: Error = Error::NotFound { what: "notice" };

/// How many events one letter tells at most. More of them go with the next one.
const MOST_IN_A_DIGEST: u32 = 500;

/// How many times as long a letter is held: a mail server may take minutes to look through it.
const TIMES_FOR_LETTERS: u32 = 5;

/// Returns the channels that have something to send now.
pub(in crate::store) fn due_channels<S: Statements>(db: &mut S, now: Timestamp) -> Result<Vec<i64>, S::Fault> {
    let rows = db.rows(
        "SELECT c.id FROM alert_channels c WHERE NOT c.paused AND EXISTS (SELECT 1 FROM outbox o
             WHERE o.channel_id = c.id AND o.state = 'waiting' AND o.due_at <= $1) ORDER BY c.id",
        values![now],
        &[Kind::Int],
    )?;
    Ok(rows.iter().map(|row| row.int(0)).collect())
}

/// That nobody holds the row: a server that has died holds it no longer than its lease.
fn is_free<S: Statements>() -> String {
    let of_the_dead = if S::ALONE { "o.holder <> $3" } else { "FALSE AND o.holder <> $3" };
    format!("(o.holder IS NULL OR o.held_until < {} OR {of_the_dead})", S::NOW)
}

/// Takes the next letter of a channel: notes that `by` tries to send it, and returns it.
pub(in crate::store) fn take<S: Statements>(
    db: &mut S,
    keys: &TemplateKeys,
    channel_id: i64,
    (by, lease): (&str, Duration),
    now: Timestamp,
) -> Result<Option<Letter>, S::Fault> {
    db.alone()?;
    let Some(channel) = channel(db, keys, channel_id)?.filter(|channel| !channel.paused) else { return Ok(None) };
    loop {
        let query = format!(
            "SELECT o.message_id, o.letter, o.recipient, o.language FROM outbox o WHERE o.channel_id = $1
                 AND o.state = 'waiting' AND o.due_at <= $2 AND {} ORDER BY o.due_at, o.id LIMIT 1",
            is_free::<S>()
        );
        let kinds = [Kind::Text, Kind::Text, Kind::Text, Kind::Text];
        let first = db.rows(&query, values![channel_id, now, by], &kinds)?.pop();
        let Some(first) = first else { return Ok(None) };
        let (message_id, recipient, language) = (first.text(0), first.text(2), first.text(3));
        let id = first.maybe_text(1).unwrap_or_else(|| message_id.clone());
        if first.maybe_text(1).is_none() {
            gather(db, &channel.settings, (channel_id, &id), (&recipient, &language), now)?;
        }
        let Some(recipient) = recipient_of(db, &recipient)? else {
            let withdrawn = "UPDATE outbox SET state = 'withdrawn', done_at = $2 WHERE letter = $1";
            db.run(withdrawn, values![id.as_str(), now])?;
            continue;
        };
        let lease = match channel.settings {
            AlertChannelSettings::Webhook { .. } => lease,
            AlertChannelSettings::Email { .. } => lease * TIMES_FOR_LETTERS,
        };
        db.run(
            &format!(
                "UPDATE outbox SET tries = tries + 1, tried_at = $2, holder = $3, held_until = {} + $4
                 WHERE letter = $1 AND state = 'waiting'",
                S::NOW
            ),
            values![id.as_str(), now, by, lease.as_secs_f64()],
        )?;
        let rows = db.rows(
            "SELECT event, happened_at, facts, tries FROM outbox WHERE letter = $1 AND state = 'waiting'
             ORDER BY happened_at, id",
            values![id.as_str()],
            &[Kind::Text, Kind::Micros, Kind::Text, Kind::Int],
        )?;
        let tries = rows.iter().map(|row| row.count(3)).max().unwrap_or(1);
        let messages = rows.iter().map(|row| message_of(row, 0)).collect::<Result<Vec<_>>>()?;
        let tries = u32::try_from(tries).unwrap_or(u32::MAX);
        return Ok(Some(Letter { id, channel, recipient, language, messages, tries }));
    }
}

/// Puts what is due into one letter: everything of one recipient and language, where letters collect.
fn gather<S: Statements>(
    db: &mut S,
    settings: &AlertChannelSettings,
    (channel, letter): (i64, &str),
    (recipient, language): (&str, &str),
    now: Timestamp,
) -> Result<(), S::Fault> {
    match settings {
        AlertChannelSettings::Webhook { .. } => {
            db.run("UPDATE outbox SET letter = $1 WHERE message_id = $1", values![letter])?;
        }
        AlertChannelSettings::Email { .. } => {
            db.run(
                &format!(
                    "UPDATE outbox SET letter = $1 WHERE id IN (SELECT id FROM outbox WHERE channel_id = $2
                         AND state = 'waiting' AND letter IS NULL AND recipient = $3 AND language = $4
                         AND due_at <= $5 ORDER BY due_at, id LIMIT {MOST_IN_A_DIGEST})"
                ),
                values![letter, channel, recipient, language, now],
            )?;
        }
    }
    Ok(())
}

/// Returns to whom a row goes; `None` where the guardian has been removed.
fn recipient_of<S: Statements>(db: &mut S, recipient: &str) -> Result<Option<LetterRecipient>, S::Fault> {
    if recipient.is_empty() {
        return Ok(Some(LetterRecipient::System));
    }
    let Some(guardian) = recipient.strip_prefix(GUARDIAN) else {
        return Ok(Some(LetterRecipient::Person(recipient.to_owned())));
    };
    let Ok(id) = guardian.parse::<i64>() else { return Ok(None) };
    let rows = db.rows("SELECT email FROM guardians WHERE id = $1", values![id], &[Kind::Text])?;
    Ok(rows.first().map(|row| LetterRecipient::Person(row.text(0))))
}

fn message_of(row: &Cells, from: usize) -> Result<AlertMessage> {
    let broken =
        || Error::Store { reason: "a notice cannot be read: was it written by a newer version?".into(), source: None };
    Ok(AlertMessage {
        event: AlertEvent::from_code(&row.text(from)).ok_or_else(broken)?,
        happened_at: row.time(from + 1),
        facts: serde_json::from_str(&row.text(from + 2)).map_err(|_| broken())?,
    })
}

/// Notes that `by` has sent the letter.
pub(in crate::store) fn sent<S: Statements>(
    db: &mut S,
    letter: &str,
    by: &str,
    now: Timestamp,
) -> Result<(), S::Fault> {
    db.run(
        "UPDATE outbox SET state = 'sent', done_at = $3, holder = NULL, held_until = NULL, last_error = NULL
         WHERE letter = $1 AND holder = $2 AND state = 'waiting'",
        values![letter, by, now],
    )?;
    Ok(())
}

/// Notes that `by` could not send the letter.
pub(in crate::store) fn failed<S: Statements>(
    db: &mut S,
    letter: &str,
    by: &str,
    failed: &FailedTry,
    now: Timestamp,
) -> Result<(), S::Fault> {
    let error = super::super::limits::cut(&failed.error, super::super::limits::ALERT_ERROR);
    db.run(
        "UPDATE outbox SET state = $3, due_at = COALESCE($4, due_at), done_at = $5, holder = NULL, held_until = NULL,
             last_error = $6 WHERE letter = $1 AND holder = $2 AND state = 'waiting'",
        values![
            letter,
            by,
            if failed.again_at.is_some() { "waiting" } else { "dead" },
            failed.again_at,
            Some(now).filter(|_| failed.again_at.is_none()),
            error.replace('\0', " "),
        ],
    )?;
    Ok(())
}

const ROW: &str = "id, COALESCE(letter, message_id), rule_id, channel_id, recipient, student_id, event, happened_at,
    facts, written_at, due_at, state, tries, last_error, done_at";
const ROW_KINDS: [Kind; 15] = [
    Kind::Int,
    Kind::Text,
    Kind::Int,
    Kind::Int,
    Kind::Text,
    Kind::Int,
    Kind::Text,
    Kind::Micros,
    Kind::Text,
    Kind::Micros,
    Kind::Micros,
    Kind::Text,
    Kind::Int,
    Kind::Text,
    Kind::Micros,
];

fn row_of(row: &Cells) -> Result<OutboxRow> {
    Ok(OutboxRow {
        id: row.int(0),
        letter: row.text(1),
        rule: row.int(2),
        channel: row.int(3),
        to_guardian: row.text(4).starts_with(GUARDIAN),
        student: row.maybe_int(5).map(StudentId),
        message: message_of(row, 6)?,
        written_at: row.time(9),
        due_at: row.time(10),
        state: LetterState::from_code(&row.text(11)).unwrap_or(LetterState::Withdrawn),
        tries: u32::try_from(row.count(12)).unwrap_or(u32::MAX),
        last_error: row.maybe_text(13),
        done_at: row.maybe_time(14),
    })
}

/// Returns a page of the outbox, newest first.
pub(in crate::store) fn list<S: Statements>(
    db: &mut S,
    filter: OutboxFilter,
    page: Page,
) -> Result<Listed<OutboxRow>, S::Fault> {
    let mut tests = vec!["1 = 1".to_owned()];
    let mut given: Vec<Value> = Vec::new();
    if let Some(state) = filter.state {
        tests.push(format!("state = '{}'", state.as_str()));
    }
    if let Some(channel) = filter.channel {
        given.push(channel.into());
        tests.push("channel_id = $1".to_owned());
    }
    let from = format!("FROM outbox WHERE {}", tests.join(" AND "));
    let total = db.rows(&format!("SELECT count(*) {from}"), &given, &[Kind::Int])?;
    let Page { limit, skip } = page;
    let query = format!("SELECT {ROW} {from} ORDER BY id DESC LIMIT {limit} OFFSET {skip}");
    let rows = db.rows(&query, &given, &ROW_KINDS)?;
    let items = rows.iter().map(row_of).collect::<Result<Vec<_>>>()?;
    Ok(Listed { items, total: total.first().map_or(0, |row| row.count(0)) })
}

/// Returns every row about a student, oldest first.
pub(in crate::store) fn of_student<S: Statements>(db: &mut S, student: StudentId) -> Result<Vec<OutboxRow>, S::Fault> {
    let rows = db.rows(
        &format!("SELECT {ROW} FROM outbox WHERE student_id = $1 ORDER BY id"),
        values![student.0],
        &ROW_KINDS,
    )?;
    Ok(rows.iter().map(row_of).collect::<Result<Vec<_>>>()?)
}

/// Has a letter that was given up sent again, from its first try on; returns how many rows it has.
pub(in crate::store) fn resend<S: Statements>(db: &mut S, letter: &str, now: Timestamp) -> Result<u64, S::Fault> {
    db.alone()?;
    let resent = db.run(
        "UPDATE outbox SET state = 'waiting', due_at = $2, done_at = NULL, tries = 0, holder = NULL, held_until = NULL
         WHERE letter = $1 AND state = 'dead'",
        values![letter, now],
    )?;
    if resent > 0 {
        return Ok(resent);
    }
    let found =
        db.rows("SELECT count(*) FROM outbox WHERE COALESCE(letter, message_id) = $1", values![letter], &[Kind::Int])?;
    if found.first().is_none_or(|row| row.count(0) == 0) {
        return Err(NO_LETTER.into());
    }
    let reason = "is not among those that were given up".to_owned();
    Err(Error::State { what: "notice", reason }.into())
}

/// Returns how it stands.
pub(in crate::store) fn state<S: Statements>(db: &mut S) -> Result<OutboxState, S::Fault> {
    let counts = db.rows("SELECT state, count(*) FROM outbox GROUP BY state", &[], &[Kind::Text, Kind::Int])?;
    let count =
        |state: LetterState| counts.iter().find(|row| row.text(0) == state.as_str()).map_or(0, |row| row.count(1));
    let oldest = db.rows(
        "SELECT min(o.written_at) FROM outbox o JOIN alert_channels c ON c.id = o.channel_id
         WHERE o.state = 'waiting' AND NOT c.paused",
        &[],
        &[Kind::Micros],
    )?;
    Ok(OutboxState {
        waiting: count(LetterState::Waiting),
        waiting_since: oldest.first().and_then(|row| row.maybe_time(0)),
        dead: count(LetterState::Dead),
        sent: count(LetterState::Sent),
    })
}

/// Deletes what came to its end before; returns how many rows. What was given up stays until somebody decides.
pub(in crate::store) fn retire<S: Statements>(db: &mut S, before: Timestamp) -> Result<u64, S::Fault> {
    db.run("DELETE FROM outbox WHERE state IN ('sent', 'withdrawn') AND done_at < $1", values![before])
}
