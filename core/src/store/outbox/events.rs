//! Writes what is to be sent, in the transaction of what happened.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::super::portable::Kind;
use super::super::{
    AlertChannelSettings, AlertEvent, AlertFacts, AlertRule, AttendanceRecord, AttendanceStatus, NewAttendance,
    SecondLook, SecondLookVerdict,
};
use super::channels::{rule, rules_for};
use super::statements::{Statements, values};
use crate::error::Result;
use crate::types::StudentId;

/// An event of which the rules may want to know.
pub(in crate::store) struct Happened {
    pub(in crate::store) event: AlertEvent,
    /// What makes it one event: the same in every attempt to write it.
    pub(in crate::store) key: String,
    pub(in crate::store) at: Timestamp,
    pub(in crate::store) facts: AlertFacts,
}

impl Happened {
    fn student(&self) -> Option<StudentId> {
        self.facts.student_id.map(StudentId)
    }
}

/// Writes what a new mark tells, and takes back that the student is absent where nobody was told yet.
pub(in crate::store) fn marked<S: Statements>(
    db: &mut S,
    new: &NewAttendance,
    record: &AttendanceRecord,
) -> Result<(), S::Fault> {
    let facts = AlertFacts { period: Some(new.period.clone()), ..facts_of(record) };
    let happened =
        |event, what: &str| Happened { event, key: format!("{what}:{}", record.id), at: new.at, facts: facts.clone() };
    withdraw_absence(db, new.student, new.day.date, new.at)?;
    write(db, &happened(AlertEvent::Marked, "marked"), new.at)?;
    if new.status == AttendanceStatus::Late {
        write(db, &happened(AlertEvent::Late, "late"), new.at)?;
    }
    Ok(())
}

/// Writes that the student of a row was seen leaving. Of several sightings the first tells it.
pub(in crate::store) fn left<S: Statements>(
    db: &mut S,
    record: &AttendanceRecord,
    at: Timestamp,
) -> Result<(), S::Fault> {
    let key = format!("left:{}", record.id);
    write(db, &Happened { event: AlertEvent::Left, key, at, facts: facts_of(record) }, at)
}

/// Writes what a person's correction of a row tells: that the student left before the time. That somebody was there, or
/// late, is told by the mark alone.
pub(in crate::store) fn corrected<S: Statements>(
    db: &mut S,
    record: &AttendanceRecord,
    now: Timestamp,
) -> Result<(), S::Fault> {
    if !LEFT_EARLY.contains(&record.status.as_str()) {
        return Ok(());
    }
    let key = format!("left_early:{}", record.id);
    write(db, &Happened { event: AlertEvent::LeftEarly, key, at: now, facts: facts_of(record) }, now)
}

/// The statuses of a row whose student left before the time.
const LEFT_EARLY: [&str; 2] = ["Left early", "LeftEarly"];

/// Takes back what a mark tells that is gone, as far as it was not sent.
pub(in crate::store) fn mark_gone<S: Statements>(db: &mut S, attendance: i64) -> Result<(), S::Fault> {
    ["marked", "late", "left", "left_early"].iter().try_for_each(|what| take_back(db, what, attendance))
}

/// The same of a check-out.
pub(in crate::store) fn check_out_gone<S: Statements>(db: &mut S, attendance: i64) -> Result<(), S::Fault> {
    take_back(db, "left", attendance)
}

/// Deleted, and not withdrawn: the student may be seen leaving once more.
fn take_back<S: Statements>(db: &mut S, what: &str, attendance: i64) -> Result<(), S::Fault> {
    db.run(
        "DELETE FROM outbox WHERE event_key = $1 AND state = 'waiting' AND letter IS NULL",
        values![format!("{what}:{attendance}")],
    )?;
    Ok(())
}

/// Writes that a camera saw signs of a photograph, where the entry of the second-look list says so.
pub(in crate::store) fn second_look<S: Statements>(db: &mut S, look: &SecondLook) -> Result<(), S::Fault> {
    if look.verdict != SecondLookVerdict::Spoof {
        return Ok(());
    }
    let sighting = &look.sighting;
    let facts = AlertFacts {
        student_id: Some(sighting.student.0),
        student_name: Some(look.student_name.clone()),
        roll_number: Some(look.student_roll_number.clone()),
        day: Some(sighting.day.date),
        period: Some(sighting.period.clone()),
        camera_location: sighting.camera_location.clone(),
        second_look_id: Some(look.id),
        ..AlertFacts::default()
    };
    let key = format!("second_look:{}", look.id);
    write(db, &Happened { event: AlertEvent::SpoofSuspected, key, at: sighting.at, facts }, sighting.at)
}

fn facts_of(record: &AttendanceRecord) -> AlertFacts {
    AlertFacts {
        student_id: Some(record.student.0),
        student_name: Some(record.student_name.clone()),
        roll_number: Some(record.student_roll_number.clone()),
        attendance_id: Some(record.id),
        status: Some(record.status.clone()),
        day: record.local_day,
        camera_location: record.camera_location.clone(),
        ..AlertFacts::default()
    }
}

/// Writes the event for every rule that wants it.
fn write<S: Statements>(db: &mut S, happened: &Happened, now: Timestamp) -> Result<(), S::Fault> {
    let rules = rules_for(db, happened.event)?;
    if rules.is_empty() {
        return Ok(());
    }
    let windows = windows(db)?;
    for rule in rules {
        write_for(db, &rule, &windows, happened, now)?;
    }
    Ok(())
}

/// For how many minutes each channel collects; `None` for one that does not send letters.
type Windows = BTreeMap<i64, Option<u16>>;

fn windows<S: Statements>(db: &mut S) -> Result<Windows, S::Fault> {
    let rows = db.rows("SELECT id, settings FROM alert_channels", &[], &[Kind::Int, Kind::Text])?;
    let window = |text: &str| match serde_json::from_str(text).ok()? {
        AlertChannelSettings::Webhook { .. } => Some(None),
        AlertChannelSettings::Email { window_minutes, .. } => Some(Some(window_minutes)),
    };
    Ok(rows.iter().filter_map(|row| Some((row.int(0), window(&row.text(1))?))).collect())
}

/// When a letter goes that is written now: at the end of the window of its channel, so that all of one window go
/// together.
fn due(now: Timestamp, window_minutes: u16) -> Timestamp {
    let window = i64::from(window_minutes) * 60;
    if window == 0 {
        return now;
    }
    let since_last = now.as_second().rem_euclid(window);
    let due = now.checked_add(SignedDuration::from_secs(window - since_last));
    due.map_or(now, |due| due - SignedDuration::from_nanos(due.subsec_nanosecond().into()))
}

/// Writes the event for one rule: a row for each channel and recipient. Returns how many there were.
fn write_for<S: Statements>(
    db: &mut S,
    rule: &AlertRule,
    windows: &Windows,
    happened: &Happened,
    now: Timestamp,
) -> Result<u64, S::Fault> {
    let settings = &rule.settings;
    if let (Some(groups), Some(student)) = (&settings.groups, happened.student())
        && !is_in_a_group(db, student, groups, happened.facts.day)?
    {
        return Ok(0);
    }
    let mut written = 0;
    for (channel, window) in settings.channels.iter().filter_map(|id| Some((*id, *windows.get(id)?))) {
        let Some(window) = window else {
            written += insert(db, rule, channel, happened, ("", &settings.language), (now, now))?;
            continue;
        };
        let times = (now, due(now, window));
        for address in &settings.addresses {
            written += insert(db, rule, channel, happened, (address, &settings.language), times)?;
        }
        if let (true, Some(student)) = (settings.guardians, happened.student()) {
            for (guardian, language) in guardians_of(db, student)? {
                let recipient = format!("{GUARDIAN}{guardian}");
                written += insert(db, rule, channel, happened, (&recipient, &language), times)?;
            }
        }
    }
    Ok(written)
}

/// How a recipient begins that is a row of `guardians`: its address is looked up when the letter goes.
pub(super) const GUARDIAN: &str = "guardian:";

fn guardians_of<S: Statements>(db: &mut S, student: StudentId) -> Result<Vec<(i64, String)>, S::Fault> {
    let query = "SELECT id, language FROM guardians WHERE student_id = $1 ORDER BY id";
    let rows = db.rows(query, values![student.0], &[Kind::Int, Kind::Text])?;
    Ok(rows.iter().map(|row| (row.int(0), row.text(1))).collect())
}

/// Returns whether the student is a member of one of the groups on that day.
fn is_in_a_group<S: Statements>(
    db: &mut S,
    student: StudentId,
    groups: &[i64],
    day: Option<Date>,
) -> Result<bool, S::Fault> {
    let Some(day) = day else { return Ok(false) };
    let rows = db.rows(
        "SELECT group_id FROM group_members WHERE student_id = $1 AND from_day <= $2
             AND (until_day IS NULL OR until_day > $2)",
        values![student.0, day],
        &[Kind::Int],
    )?;
    Ok(rows.iter().any(|row| groups.contains(&row.int(0))))
}

fn insert<S: Statements>(
    db: &mut S,
    rule: &AlertRule,
    channel: i64,
    happened: &Happened,
    (recipient, language): (&str, &str),
    (now, due): (Timestamp, Timestamp),
) -> Result<u64, S::Fault> {
    let facts = AlertFacts { rule: rule.name.clone(), ..happened.facts.clone() };
    let facts = serde_json::to_string(&facts)
        .map_err(|error| crate::error::Error::Internal { reason: format!("no JSON: {error}") })?;
    db.run(
        "INSERT INTO outbox (message_id, rule_id, channel_id, event, event_key, recipient, language, student_id, facts,
             happened_at, written_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (rule_id, channel_id, event_key, recipient) DO NOTHING",
        values![
            uuid::Uuid::new_v4().to_string(),
            rule.id,
            channel,
            happened.event.as_str(),
            happened.key.as_str(),
            recipient,
            language,
            happened.facts.student_id,
            facts,
            happened.at,
            now,
            due,
        ],
    )
}

/// Takes back that a student is absent on a day, as far as nobody was told.
fn withdraw_absence<S: Statements>(db: &mut S, student: StudentId, day: Date, now: Timestamp) -> Result<(), S::Fault> {
    db.run(
        "UPDATE outbox SET state = 'withdrawn', done_at = $3
         WHERE student_id = $1 AND event_key = $2 AND state = 'waiting' AND letter IS NULL",
        values![student.0, absence_key(student, day), now],
    )?;
    Ok(())
}

fn absence_key(student: StudentId, day: Date) -> String {
    format!("absent:{day}:{student}")
}

/// Writes who is absent on a day by a rule, unless that was done; returns how many rows that made. Whoever was marked
/// in the meantime is left out.
pub(in crate::store) fn absences<S: Statements>(
    db: &mut S,
    rule_id: i64,
    day: Date,
    absent: &[AlertFacts],
    now: Timestamp,
) -> Result<Option<u64>, S::Fault> {
    db.alone()?;
    let first = db.run(
        "INSERT INTO alert_days (rule_id, local_day, evaluated_at) VALUES ($1, $2, $3)
         ON CONFLICT (rule_id, local_day) DO NOTHING",
        values![rule_id, day, now],
    )?;
    if first == 0 {
        return Ok(None);
    }
    let Some(rule) = rule(db, rule_id)?.filter(|rule| !rule.paused && rule.event == AlertEvent::Absent) else {
        return Ok(Some(0));
    };
    let windows = windows(db)?;
    let mut written = 0;
    for facts in absent {
        let Some(student) = facts.student_id.map(StudentId) else { continue };
        let facts = AlertFacts { day: Some(day), ..facts.clone() };
        let happened = Happened { event: AlertEvent::Absent, key: absence_key(student, day), at: now, facts };
        if is_marked(db, student, day, happened.facts.period.as_deref())? {
            continue;
        }
        written += write_for(db, &rule, &windows, &happened, now)?;
    }
    Ok(Some(written))
}

/// Returns whether a mark says that the student was there. A row that was corrected to absent says the opposite.
fn is_marked<S: Statements>(db: &mut S, student: StudentId, day: Date, period: Option<&str>) -> Result<bool, S::Fault> {
    let rows = db.rows(
        "SELECT count(*) FROM attendance_log WHERE student_id = CAST($1 AS bigint) AND local_day = $2
             AND status <> 'Absent' AND (period = $3 OR $4)",
        values![student.0, day, period.unwrap_or_default(), period.is_none()],
        &[Kind::Int],
    )?;
    Ok(rows.first().is_some_and(|row| row.count(0) > 0))
}

/// Returns whether who is absent on this day was told by the rule.
pub(in crate::store) fn is_evaluated<S: Statements>(db: &mut S, rule: i64, day: Date) -> Result<bool, S::Fault> {
    let query = "SELECT count(*) FROM alert_days WHERE rule_id = $1 AND local_day = $2";
    let rows = db.rows(query, values![rule, day], &[Kind::Int])?;
    Ok(rows.first().is_some_and(|row| row.count(0) > 0))
}

/// Notes that a kept camera gives no pictures, and writes for the rules that have waited long enough. It is one event
/// until [`camera_is_up`].
pub(in crate::store) fn camera_is_down<S: Statements>(
    db: &mut S,
    camera: i64,
    name: &str,
    location: Option<&str>,
    now: Timestamp,
) -> Result<(), S::Fault> {
    db.run(
        "INSERT INTO cameras_down (camera_id, down_since) VALUES ($1, $2) ON CONFLICT (camera_id) DO NOTHING",
        values![camera, now],
    )?;
    let since =
        db.rows("SELECT down_since FROM cameras_down WHERE camera_id = $1", values![camera], &[Kind::Micros])?;
    let Some(since) = since.first().and_then(|row| row.maybe_time(0)) else { return Ok(()) };
    let facts = AlertFacts {
        camera_id: Some(camera),
        camera: Some(name.to_owned()),
        camera_location: location.map(ToOwned::to_owned),
        ..AlertFacts::default()
    };
    let key = format!("camera:{camera}:{}", since.as_microsecond());
    let happened = Happened { event: AlertEvent::CameraDown, key, at: since, facts };
    let rules = rules_for(db, AlertEvent::CameraDown)?;
    let has_waited = |rule: &AlertRule| {
        let minutes = rule.settings.after_minutes.unwrap_or(1);
        now.duration_since(since) >= SignedDuration::from_mins(minutes.into())
    };
    if rules.iter().any(has_waited) {
        let windows = windows(db)?;
        for rule in rules.iter().filter(|rule| has_waited(rule)) {
            write_for(db, rule, &windows, &happened, now)?;
        }
    }
    Ok(())
}

/// Notes that a camera gives pictures again, or is not to.
pub(in crate::store) fn camera_is_up<S: Statements>(db: &mut S, camera: i64) -> Result<(), S::Fault> {
    db.run("DELETE FROM cameras_down WHERE camera_id = $1", values![camera])?;
    Ok(())
}

pub(in crate::store) fn cameras_down<S: Statements>(db: &mut S) -> Result<Vec<i64>, S::Fault> {
    let rows = db.rows("SELECT camera_id FROM cameras_down ORDER BY camera_id", &[], &[Kind::Int])?;
    Ok(rows.iter().map(|row| row.int(0)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_happens_in_one_window_goes_together_and_no_later_than_its_end(
            second in 0i64..4_000_000_000, nanosecond in 0i32..1_000_000_000, window in 1u16..=1440,
        ) {
            let now = Timestamp::new(second, nanosecond).unwrap();
            let at = due(now, window);
            prop_assert!(at > now && at.duration_since(now) <= SignedDuration::from_mins(window.into()));
            prop_assert_eq!(at.as_second() % (i64::from(window) * 60), 0);
            prop_assert_eq!(at.subsec_nanosecond(), 0);
            // Until the end of the window everything is due at that end.
            let last = at - SignedDuration::from_nanos(1);
            prop_assert_eq!(due(last, window), at);
        }
    }

    #[test]
    fn without_a_window_a_letter_goes_at_once() {
        let now = "2026-03-02T08:15:30.25Z".parse().unwrap();
        assert_eq!(due(now, 0), now);
    }
}
