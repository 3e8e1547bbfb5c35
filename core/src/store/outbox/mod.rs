//! Notices to people and systems: who is told of what, and what is still to be sent.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod channels;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod events;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod guardians;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod letters;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) mod statements;

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{
    AlertChannel, AlertFacts, AlertRule, FailedTry, Guardian, Letter, Listed, NewAlertChannel, NewAlertRule,
    OutboxFilter, OutboxRow, OutboxState, Page, TemplateForms,
};
use crate::error::Result;
use crate::types::StudentId;

/// Rules of notices, the channels that carry them, and the outbox.
///
/// What a mark, a check-out or a suspected photograph tells is written by the call that writes it, in its transaction:
/// a process that dies between the two leaves both or none. A row of the outbox is unique for its rule, its channel,
/// its event and its recipient, so nothing is told twice.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> faceattend_core::Result<()> {
/// use faceattend_core::Timestamp;
/// use faceattend_core::store::{
///     AlertChannelSettings, AlertEvent, AlertRuleSettings, NewAlertChannel, NewAlertRule, SqliteStore, prelude::*,
/// };
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("people.db");
/// let store = SqliteStore::open(path)?;
/// let (by, at) = ("Ms Rao".to_owned(), Timestamp::now());
/// let settings = AlertChannelSettings::Webhook { url: "https://school.example/hook".into() };
/// let secret = Some("a secret of 26 characters.".to_owned());
/// let new = NewAlertChannel { name: "School".into(), settings, secret, paused: false, by: by.clone(), at };
/// let channel = store.keep_alert_channel(None, &new)?;
/// let settings = AlertRuleSettings {
///     groups: None,
///     channels: vec![channel.id],
///     addresses: vec![],
///     guardians: false,
///     language: "en".into(),
///     at: None,
///     after_minutes: None,
/// };
/// let rule = NewAlertRule { name: "Late".into(), event: AlertEvent::Late, settings, paused: false, by, at };
/// assert_eq!(store.keep_alert_rule(None, &rule)?.event, AlertEvent::Late);
/// assert_eq!(store.outbox_state()?.waiting, 0);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub trait Outbox: Send + Sync {
    /// Returns every channel, ordered by name. One whose secret cannot be read is among them: it says so itself.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn alert_channels(&self) -> Result<Vec<AlertChannel>>;

    /// Adds a channel, or changes the one with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::Conflict`](crate::Error::Conflict) for a name that
    /// another one has; [`Error::InvalidInput`](crate::Error::InvalidInput) for an address that is none, and for a
    /// channel without the secret that it needs.
    fn keep_alert_channel(&self, id: Option<i64>, new: &NewAlertChannel) -> Result<AlertChannel>;

    /// Removes a channel, with what waits for it, and returns what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn remove_alert_channel(&self, id: i64) -> Result<AlertChannel>;

    /// Returns how many secrets of channels are plain, and how many are sealed with each key.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn alert_secret_forms(&self) -> Result<TemplateForms>;

    /// Returns every rule, the oldest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn alert_rules(&self) -> Result<Vec<AlertRule>>;

    /// Adds a rule, or changes the one with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound), also for a channel;
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for a rule that would tell nobody, or that does not say what
    /// its event needs.
    fn keep_alert_rule(&self, id: Option<i64>, new: &NewAlertRule) -> Result<AlertRule>;

    /// Removes a rule, with what waits because of it, and returns what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn remove_alert_rule(&self, id: i64) -> Result<AlertRule>;

    /// Writes who is absent on a day by a rule, and returns how many rows of the outbox that made; `None` where it was
    /// done before, whoever did it. A student who was marked in the meantime is left out.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn write_absences(&self, rule: i64, day: Date, absent: &[AlertFacts], now: Timestamp) -> Result<Option<u64>>;

    /// Returns whether [`write_absences`](Self::write_absences) was done for the rule and the day.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn absences_are_written(&self, rule: i64, day: Date) -> Result<bool>;

    /// Notes that a kept camera gives no pictures, and writes for the rules that have waited long enough. However often
    /// it is called, that is one event until [`camera_is_up`](Self::camera_is_up).
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn camera_is_down(&self, camera: i64, name: &str, location: Option<&str>, now: Timestamp) -> Result<()>;

    /// Notes that a camera gives pictures again, is paused or removed.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn camera_is_up(&self, camera: i64) -> Result<()>;

    /// Returns the ids of the cameras that are down.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn cameras_down(&self) -> Result<Vec<i64>>;

    /// Returns the channels that have something to send at `now`.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn due_alert_channels(&self, now: Timestamp) -> Result<Vec<i64>>;

    /// Takes the next letter of a channel for the sender `by`, and counts the try. Nobody else is given it until `by`
    /// says what became of it, or the lease is over; that of a letter by e-mail is five times as long.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn take_letter(&self, channel: i64, by: &str, lease: Duration, now: Timestamp) -> Result<Option<Letter>>;

    /// Notes that the letter was sent.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn letter_sent(&self, letter: &str, by: &str, now: Timestamp) -> Result<()>;

    /// Notes that the letter could not be sent.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn letter_failed(&self, letter: &str, by: &str, failed: &FailedTry, now: Timestamp) -> Result<()>;

    /// Returns a page of the outbox, newest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn outbox(&self, filter: OutboxFilter, page: Page) -> Result<Listed<OutboxRow>>;

    /// Returns every row of the outbox about a student, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn outbox_of(&self, student: StudentId) -> Result<Vec<OutboxRow>>;

    /// Has a letter that was given up sent again, under its old id; returns how many rows it carries.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::State`](crate::Error::State) for one that was not given
    /// up.
    fn resend_letter(&self, letter: &str, now: Timestamp) -> Result<u64>;

    /// Returns how it stands with the outbox.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn outbox_state(&self) -> Result<OutboxState>;

    /// Deletes rows that were sent, or withdrawn, before; returns how many.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn retire_outbox(&self, before: Timestamp) -> Result<u64>;
}

/// The addresses of students' guardians: personal data of the student, that go with it.
pub trait Guardians: Send + Sync {
    /// Returns the guardians of a student, in the order in which they were added.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store).
    fn guardians(&self, student: StudentId) -> Result<Vec<Guardian>>;

    /// Gives a student these guardians and no others.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound); [`Error::InvalidInput`](crate::Error::InvalidInput) for an address
    /// that is none, for one that is there twice, and for more than [`GUARDIANS`](super::limits::GUARDIANS).
    fn set_guardians(&self, student: StudentId, guardians: &[Guardian], now: Timestamp) -> Result<()>;
}
